# From tags to the mIoU on PASCAL VOC 2012 val: MCTformer-V2, PSA, DeepLab v1 on
# WideResNet38. Both of the latter begin as PSA's classifier.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v2_deit-s_voc_pipeline.py --gpus 4
_base_ = '../../../configs/psa/psa_wide-r38_voc_pipeline.py'
title = 'MCTformer-V2 with DeiT-S on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/mctformer_v2_deit-s_voc.py'
affinity = '{{ fileDirname }}/../../../configs/psa/psa_wide-r38_voc_mctformer.py'
segmentor = '{{ fileDirname }}/deeplabv1_wide-r38_voc.py'
protocol = dict(
    threshold='best mIoU on train for seeds, 0.39 for the walk',
    scales='1 and flip for seeds; 1 for segmentation',
    weights='ImageNet for DeiT; tags of VOC for WideResNet38')
