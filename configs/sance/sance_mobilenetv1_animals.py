# SANCE on MobileNetV1 at stride 16, whose last eight blocks learn: small enough
# for a CPU.
# python tools/train.py configs/sance/sance_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/sance_mobilenetv1.py', '../_base_/datasets/animals_sance.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
]

model = dict(
    decode_head=dict(num_classes=7), auxiliary_head=dict(num_classes=7))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=0.01))
train_dataloader = dict(batch_size=4)
train_cfg = dict(max_iters=400, val_interval=100)
param_scheduler = dict(end=401)
