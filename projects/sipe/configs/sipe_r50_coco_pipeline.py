# From tags to the mIoU on COCO 2014 val. As the authors do there, labels by dense CRF
# train the segmentation model, without IRN; doubtful pixels do not count.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/sipe/configs/sipe_r50_coco_pipeline.py --gpus 4
_base_ = '../../../configs/cam/cam_r50_coco_pipeline.py'
title = 'SIPE with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/sipe_r50_coco.py'
protocol = dict(threshold='none: seeds have a background of their own')
changes = dict(
    score_seeds=dict(
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1']),
    pseudo_labels=dict(refiner='config', bg_thr=None),
    report=dict(
        sections=[
            dict(
                _base_.steps[-1]['sections'][0],
                columns=[dict(title='Seed', seeds='{seeds}'), *_base_.columns]),
            *_base_.steps[-1]['sections'][1:]
        ],
        thresholds={}))
steps = [dict(step, **changes.get(step['name'], {})) for step in _base_.steps]
