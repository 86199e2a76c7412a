# From tags to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_wide-r38_coco_pipeline.py --gpus 4
_base_ = '../../../configs/seam/seam_wide-r38_coco_pipeline.py'
title = 'PPC on SEAM with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/ppc_seam_wide-r38_coco.py'
