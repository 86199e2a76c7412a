# From tags and saliency to the mIoU on PASCAL VOC 2012 val. EPS thresholds its
# seeds without a CRF.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/eps_wide-r38_voc_pipeline.py --gpus 4
_base_ = '../../../configs/cam/cam_r50_voc_pipeline.py'
title = 'EPS with WideResNet38 on PASCAL VOC 2012'
localizer = '{{ fileDirname }}/eps_wide-r38_voc.py'
protocol = dict(supervision='I+S (image labels and saliency)')
steps = [
    dict(step, refiner='none') if step['name'] == 'pseudo_labels' else step
    for step in _base_.steps
]
