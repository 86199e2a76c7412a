# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/cam/cam_folder.py
_base_ = [
    '../_base_/models/cam_r50.py', '../_base_/datasets/folder_weak.py',
    '../_base_/schedules/cam_5e.py', '../_base_/default_runtime.py'
]

train_cfg = dict(epochs=5, min_iters=300)
