# From tags to the mIoU on PASCAL VOC 2012 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/recommended/configs/recommended_r50_voc_pipeline.py --gpus 4
_base_ = ['./_base_/recipes/recommended.py', '../../../configs/_base_/recipes/voc.py']
title = 'From tags on PASCAL VOC 2012'
configs = '{{ fileDirname }}/../../../configs'
classifier = f'{configs}/cam/cam_r50_voc.py'
localizer = '{{ fileDirname }}/../../sipe/configs/fsae_sipe_r50_voc.py'
irn = f'{configs}/irn/irn_r50_voc.py'
segmentor = f'{configs}/self_training/self_training_deeplabv2_r101_voc.py'
# FSAE begins when half of the iterations are done.
cfg_options = dict(localizer={'model.start_iter': 3305})
protocol = dict(
    threshold='none: seeds have a background of their own, labels of the segmentation '
    'model are cut at 0.3',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries and by tags; '
    '1 for segmentation')
