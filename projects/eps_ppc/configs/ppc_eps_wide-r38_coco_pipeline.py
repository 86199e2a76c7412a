# From tags and saliency to the mIoU on COCO 2014 val:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_eps_wide-r38_coco_pipeline.py --gpus 4
_base_ = './eps_wide-r38_coco_pipeline.py'
title = 'PPC on EPS with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/ppc_eps_wide-r38_coco.py'
steps = [
    dict(step, refiner='eps_ppc', bg_thr=None)
    if step['name'] == 'pseudo_labels' else step for step in _base_.steps
]
