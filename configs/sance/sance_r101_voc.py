# python tools/train.py configs/sance/sance_r101_voc.py
_base_ = [
    '../_base_/models/sance_r101.py', '../_base_/datasets/voc_sance.py',
    '../_base_/schedules/sance_16e.py', '../_base_/default_runtime.py'
]
