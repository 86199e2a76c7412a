# python tools/train.py configs/esol/esol_r50_voc.py
_base_ = [
    '../_base_/models/esol_r50.py', '../_base_/datasets/voc_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]
