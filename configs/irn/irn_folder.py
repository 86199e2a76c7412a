# Your own images; docs/en/own_photos.md says how to lay them out. Labels to train
# on: tools/refine_seeds.py ... --refiner irn_two_threshold
# python tools/train.py configs/irn/irn_folder.py
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/folder_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

train_cfg = dict(epochs=3, min_iters=100)

custom_hooks = [dict(type='MeanShiftHook', dataloader=_base_.mean_shift_dataloader)]
