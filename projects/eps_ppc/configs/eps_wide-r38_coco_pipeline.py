# From tags and saliency to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/eps_wide-r38_coco_pipeline.py --gpus 4
_base_ = '../../../configs/cam/cam_r50_coco_pipeline.py'
title = 'EPS with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/eps_wide-r38_coco.py'
protocol = dict(supervision='I+S (image labels and saliency)')
steps = [
    dict(step, refiner='none') if step['name'] == 'pseudo_labels' else step
    for step in _base_.steps
]
