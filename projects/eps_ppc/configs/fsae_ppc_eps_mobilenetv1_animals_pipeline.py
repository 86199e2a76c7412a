# From tags, and saliency from the images alone, to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_mobilenetv1_animals_pipeline.py
_base_ = './ppc_eps_mobilenetv1_animals_pipeline.py'
title = 'FSAE on PPC and EPS with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_ppc_eps_mobilenetv1_animals.py'
