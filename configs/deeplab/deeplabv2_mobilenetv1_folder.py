# Your own images on a CPU; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/deeplab/deeplabv2_mobilenetv1_folder.py
_base_ = [
    '../_base_/models/deeplabv2_mobilenetv1.py',
    '../_base_/datasets/folder_pseudo_256.py', '../_base_/schedules/deeplabv2_20k.py',
    '../_base_/default_runtime.py'
]

optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(epochs=10, min_iters=200, cap_iters=2000)
default_hooks = dict(logger=dict(interval=10))
