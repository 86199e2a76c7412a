# PPC on SEAM whose seeds walk inside the boundaries of IRN, which the paper does
# not have.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_irn_wide-r38_voc_pipeline.py --gpus 4
_base_ = '../../../configs/irn/irn_r50_voc_pipeline.py'
title = 'PPC on SEAM and IRN on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/ppc_seam_wide-r38_voc.py'
