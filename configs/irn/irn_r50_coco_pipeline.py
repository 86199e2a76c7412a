# From tags to the mIoU on COCO 2014 val by CAM and IRN:
# python tools/pipeline.py configs/irn/irn_r50_coco_pipeline.py --gpus 4
# Elsewhere than in data/coco: --cfg-options data_root=/data/coco
# Seeds walk, so their files are kept, at stride 4.
_base_ = ['../_base_/pipelines/coco.py', '../_base_/pipelines/irn.py']
title = 'CAM and IRN with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/../cam/cam_r50_coco.py'
irn = '{{ fileDirname }}/irn_r50_coco.py'
conf_fg = 0.30
conf_bg = 0.05
train, seeds, score = _base_.steps[:3]
# All photos with tags, not only those that are scored.
seeds['cfg_options'] = {}
affinity_labels, train_irn, walk, score_walk, pseudo_labels, _ = _base_.irn_steps
score_walk['cfg_options'] = score['cfg_options']
report = _base_.steps[-1]
report['thresholds'] = _base_.irn_report_step['thresholds']
steps = [
    train, seeds, score, affinity_labels, train_irn, walk, score_walk,
    pseudo_labels, *_base_.steps[4:-1], report
]
del train, seeds, score, affinity_labels, train_irn, walk, score_walk
del pseudo_labels, report, _
