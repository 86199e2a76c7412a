# From tags and saliency to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_wide-r38_voc_pipeline.py --gpus 4
_base_ = './ppc_eps_wide-r38_voc_pipeline.py'
title = 'FSAE on PPC and EPS with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_ppc_eps_wide-r38_voc.py'
