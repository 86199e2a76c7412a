# From tags, and saliency from the images alone, to a segmentation model:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/fsae_ppc_eps_demo_pipeline.py
_base_ = './ppc_eps_demo_pipeline.py'
title = 'FSAE on PPC and EPS on generated scenes'
localizer = '{{ fileDirname }}/fsae_ppc_eps_demo.py'
