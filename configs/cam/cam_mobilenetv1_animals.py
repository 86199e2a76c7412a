# CAM on MobileNetV1 at stride 16, whose last eight blocks learn: small enough
# for a CPU.
# python tools/train.py configs/cam/cam_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/cam_mobilenetv1.py', '../_base_/datasets/animals_weak.py',
    '../_base_/schedules/cam_5e.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=7))
train_cfg = dict(max_iters=300, val_interval=300)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=0.01))
param_scheduler = dict(end=301)
