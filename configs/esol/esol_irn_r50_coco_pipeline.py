# From tags to the mIoU on COCO 2014 val by ESOL, whose seeds walk inside the
# boundaries of IRN:
# python tools/pipeline.py configs/esol/esol_irn_r50_coco_pipeline.py --gpus 4
_base_ = '../irn/irn_r50_coco_pipeline.py'
title = 'ESOL and IRN with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/esol_r50_coco.py'
irn = '{{ fileDirname }}/../irn/irn_r50_coco.py'
