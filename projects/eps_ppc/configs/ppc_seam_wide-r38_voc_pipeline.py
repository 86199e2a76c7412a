# From tags to the mIoU on PASCAL VOC 2012 val: PPC on SEAM, PSA, DeepLab v1 on
# WideResNet38.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_wide-r38_voc_pipeline.py --gpus 4
_base_ = '../../../configs/seam/seam_wide-r38_voc_pipeline.py'
title = 'PPC on SEAM with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/ppc_seam_wide-r38_voc.py'
affinity = '{{ fileDirname }}/../../../configs/psa/psa_wide-r38_voc_ppc.py'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/deeplabv1_wide-r38_voc.py'
