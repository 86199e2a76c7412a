# From tags, and saliency from the images alone, to a segmentation model
# on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_eps_demo_pipeline.py
_base_ = './eps_demo_pipeline.py'
title = 'PPC on EPS on generated scenes'
localizer = '{{ fileDirname }}/ppc_eps_demo.py'
steps = [
    dict(step, refiner='eps_ppc', bg_thr=None)
    if step['name'] == 'pseudo_labels' else step for step in _base_.steps
]
