# From tags and saliency to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_wide-r38_coco_pipeline.py --gpus 4
_base_ = './ppc_eps_wide-r38_coco_pipeline.py'
title = 'FSAE on PPC and EPS with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/fsae_ppc_eps_wide-r38_coco.py'
