# From tags to the mIoU on PASCAL VOC 2012 val: CAM, affinities, DeepLab.
# python tools/pipeline.py configs/psa/psa_wide-r38_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
# With SEAM's maps: --cfg-options localizer=configs/seam/seam_wide-r38_voc.py
#     affinity=configs/psa/psa_wide-r38_voc_seam.py
_base_ = ['../_base_/recipes/psa.py', '../_base_/recipes/voc.py']
title = 'PSA with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/cam_wide-r38_voc.py'
affinity = '{{ fileDirname }}/psa_wide-r38_voc.py'
protocol = dict(threshold='best mIoU on train for seeds, published powers for the walk')
