# As fsae_ppc_eps_wide-r38_voc_pipeline.py, with DeepLab v1:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_wide-r38_voc_deeplabv1_pipeline.py --gpus 4
_base_ = './fsae_ppc_eps_wide-r38_voc_pipeline.py'
title = 'FSAE on PPC and EPS with WideResNet38 on PASCAL VOC 2012, DeepLab v1'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/deeplabv1_r101_voc.py'
