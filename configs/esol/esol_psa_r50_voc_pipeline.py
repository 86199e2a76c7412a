# ESOL's seeds refined by PSA, from tags to the mIoU on PASCAL VOC 2012 val:
# python tools/pipeline.py configs/esol/esol_psa_r50_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = ['./esol_r50_voc_pipeline.py', '../_base_/pipelines/affinity.py']
title = 'ESOL with ResNet-50 and PSA on PASCAL VOC 2012'
affinity = '{{ fileDirname }}/../psa/psa_r50_voc.py'
for step in _base_.affinity_steps:
    if 'seeds' in step:
        step['seeds'] = '{seeds_shrink}'
del step
steps = [
    *_base_.localization_steps[:-2],
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
