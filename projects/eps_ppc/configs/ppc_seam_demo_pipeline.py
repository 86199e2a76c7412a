# From tags to a segmentation model on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_demo_pipeline.py
_base_ = '../../../configs/seam/seam_demo_pipeline.py'
title = 'PPC on SEAM on generated scenes'
localizer = '{{ fileDirname }}/ppc_seam_demo.py'
