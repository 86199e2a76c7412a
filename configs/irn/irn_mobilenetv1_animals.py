# IRN on frozen MobileNetV1 features at stride 16, small enough for a CPU. Crops
# are half as large as IRN's, and so is the radius of pairs.
# python tools/train.py configs/irn/irn_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/irn_mobilenetv1.py', '../_base_/datasets/animals_boundary.py',
    '../_base_/schedules/irn_3e.py', '../_base_/default_runtime.py'
]

model = dict(
    decode_head=dict(num_classes=7), auxiliary_head=dict(num_classes=7))
# The largest image.
walk_tta_model = dict(pad_size=320)
# Three epochs of 400 images.
train_cfg = dict(max_iters=150)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom=[]))
param_scheduler = dict(end=151)
custom_hooks = [
    dict(type='MeanShiftHook', crop_size=256, dataloader=_base_.mean_shift_dataloader)
]
