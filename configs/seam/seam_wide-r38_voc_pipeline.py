# From tags to the mIoU on PASCAL VOC 2012 val: SEAM, affinities, DeepLab.
# python tools/pipeline.py configs/seam/seam_wide-r38_voc_pipeline.py --gpus 4
# Elsewhere than in data/: --cfg-options data_root=/data/VOCdevkit/VOC2012
_base_ = '../psa/psa_wide-r38_voc_pipeline.py'
title = 'SEAM with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/seam_wide-r38_voc.py'
affinity = '{{ fileDirname }}/../psa/psa_wide-r38_voc_seam.py'
