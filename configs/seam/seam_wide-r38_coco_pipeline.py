# From tags to the mIoU on COCO 2014 val:
# python tools/pipeline.py configs/seam/seam_wide-r38_coco_pipeline.py --gpus 4
# Elsewhere than in data/coco: --cfg-options data_root=/data/coco
_base_ = '../psa/psa_wide-r38_coco_pipeline.py'
title = 'SEAM with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/seam_wide-r38_coco.py'
