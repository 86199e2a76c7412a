# Labels to train on: tools/refine_seeds.py ... --refiner irn_two_threshold
# python tools/train.py configs/irn/irn_r50_coco.py
_base_ = [
    '../_base_/models/irn_r50.py', '../_base_/datasets/coco_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

# Images are up to 640 pixels large: all are padded alike, none is cut.
walk_tta_model = dict(pad_size=640)
# Three epochs of the 82,081 images with tags.
train_cfg = dict(max_iters=7695)
param_scheduler = dict(end=7696)
custom_hooks = [dict(type='MeanShiftHook', dataloader=_base_.mean_shift_dataloader)]
