# Table 1, the rows whose CAM walks, from tags to DeepLab: the baseline, or with
# irn=CONFIG inside the contours of another network:
# python tools/pipeline.py \
#     configs/sance/ablations/sance_r101_voc_cam-walk_pipeline.py --gpus 4
_base_ = ['../../_base_/recipes/cam_irn.py', '../../_base_/recipes/voc.py']
title = 'CAM inside contours with ResNet-101 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../../cam/cam_r101_voc.py'
irn = '{{ fileDirname }}/sance_r101_voc_baseline-s16.py'
conf_fg = 0.30
conf_bg = 0.05
protocol = dict(
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for contours and segmentation',
    weights='ImageNet; see the segmentation config')
# As in sance_r101_voc_pipeline.py.
crf_test = dict(
    config='{{ fileDirname }}/../../deeplab/deeplabv2_r101_voc_crf.py',
    show=['mIoU', 'crf/mIoU'])
steps = [
    dict(step, **crf_test) if step['name'] in ('test', 'test_full') else step
    for step in _base_.steps
]
