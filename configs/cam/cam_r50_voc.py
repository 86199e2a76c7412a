# python tools/train.py configs/cam/cam_r50_voc.py
_base_ = [
    '../_base_/models/cam_r50.py', '../_base_/datasets/voc_weak.py',
    '../_base_/schedules/cam_5e.py', '../_base_/default_runtime.py'
]
