# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_r101_voc_pipeline.py --gpus 4
_base_ = ['../_base_/recipes/sance.py', '../_base_/recipes/voc.py']
title = 'SANCE with ResNet-101 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../cam/cam_r101_voc.py'
sance = '{{ fileDirname }}/sance_r101_voc.py'
conf_fg = 0.30
conf_bg = 0.05
protocol = dict(
    split='training on train_aug, labels scored on train, segmentation on val',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels); masks of train only measure')
# All of the paper's numbers on val are those after a dense CRF.
crf_test = dict(
    config='{{ fileDirname }}/../deeplab/deeplabv2_r101_voc_crf.py',
    show=['mIoU', 'crf/mIoU'])
steps = [
    dict(step, **crf_test) if step['name'] in ('test', 'test_full') else step
    for step in _base_.steps
]
