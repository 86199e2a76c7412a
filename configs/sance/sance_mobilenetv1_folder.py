# Your own images on a CPU; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/sance/sance_mobilenetv1_folder.py
_base_ = [
    '../_base_/models/sance_mobilenetv1.py', '../_base_/datasets/folder_sance_256.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
]

train_cfg = dict(epochs=4, min_iters=200, cap_iters=2000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=0.01))
default_hooks = dict(logger=dict(interval=10))
