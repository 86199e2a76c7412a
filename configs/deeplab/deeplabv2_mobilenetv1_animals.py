# DeepLab v2's head on MobileNetV1 at stride 16, small enough for a CPU.
# python tools/train.py configs/deeplab/deeplabv2_mobilenetv1_animals.py
_base_ = [
    '../_base_/models/deeplabv2_mobilenetv1.py', '../_base_/datasets/animals_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=7))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_iters=700, val_interval=700)
param_scheduler = dict(end=701)
