# From tags, and saliency from the images alone, to a segmentation model of
# six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_eps_mobilenetv1_animals_pipeline.py
_base_ = './eps_mobilenetv1_animals_pipeline.py'
title = 'PPC on EPS with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/ppc_eps_mobilenetv1_animals.py'
steps = [
    dict(step, refiner='eps_ppc', bg_thr=None)
    if step['name'] == 'pseudo_labels' else step for step in _base_.steps
]
