# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/esol/esol_folder.py
_base_ = [
    '../_base_/models/esol_r50.py', '../_base_/datasets/folder_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]
