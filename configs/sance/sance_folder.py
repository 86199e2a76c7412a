# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/sance/sance_folder.py
_base_ = [
    '../_base_/models/sance_r101.py', '../_base_/datasets/folder_sance.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
]

train_cfg = dict(epochs=16, min_iters=1000)

model = dict(
    backbone=dict(depth=50, init_cfg=dict(checkpoint='torchvision://resnet50')))
