# Labels to train on: tools/refine_seeds.py ... --refiner irn_two_threshold
# python tools/train.py configs/irn/irn_r50_voc.py
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/voc_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

custom_hooks = [dict(type='MeanShiftHook', dataloader=_base_.mean_shift_dataloader)]
