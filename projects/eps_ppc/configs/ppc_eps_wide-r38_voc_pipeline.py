# From tags and saliency to the mIoU on PASCAL VOC 2012 val: PPC on EPS, a dense
# CRF against (1 - max)^8, and the "DeepLab v2" of protocol B.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_eps_wide-r38_voc_pipeline.py --gpus 4
_base_ = './eps_wide-r38_voc_pipeline.py'
title = 'PPC on EPS with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/ppc_eps_wide-r38_voc.py'
segmentor = (
    '{{ fileDirname }}/../../../configs/deeplab/deeplabv2_r101_voc_b.py')
steps = [
    dict(step, refiner='eps_ppc', bg_thr=None)
    if step['name'] == 'pseudo_labels' else step for step in _base_.steps
]
