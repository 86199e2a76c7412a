# From tags to the mIoU on COCO 2014 val by CAM and IRN:
# python tools/pipeline.py configs/irn/irn_r50_coco_pipeline.py --gpus 4
# Elsewhere than in data/coco: --cfg-options data_root=/data/coco
# Seeds walk, so their files are kept, at stride 4.
_base_ = ['../_base_/recipes/coco.py', '../_base_/recipes/irn.py']
title = 'CAM and IRN with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/../cam/cam_r50_coco.py'
irn = '{{ fileDirname }}/irn_r50_coco.py'
conf_fg = 0.30
conf_bg = 0.05
steps = [
    _base_.steps[0],
    # All images with tags, not only those that are scored.
    dict(_base_.steps[1], cfg_options={}),
    _base_.steps[2],
    *_base_.irn_steps[:3],
    dict(_base_.irn_steps[3], cfg_options=_base_.steps[2]['cfg_options']),
    _base_.irn_steps[4],
    *_base_.steps[4:-1],
    dict(_base_.steps[-1], thresholds=_base_.irn_thresholds),
]
