# Eight epochs of VOC train_aug at batch 8.
# python tools/train.py configs/psa/psa_wide-r38_voc.py
_base_ = [
    '../_base_/models/psa_wide-r38.py', '../_base_/datasets/voc_affinity.py',
    '../_base_/schedules/psa_8e.py', '../_base_/default_runtime.py'
]
