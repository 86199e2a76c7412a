# SANCE-sal: saliency maps refine the online labels; see sance_r50_coco_saliency.py
# for where they lie. Supervision: I+S.
# python tools/pipeline.py configs/sance/sance_r50_coco_saliency_pipeline.py
_base_ = './sance_r50_coco_pipeline.py'
title = 'SANCE with saliency on COCO 2014'
sance = '{{ fileDirname }}/sance_r50_coco_saliency.py'
protocol = dict(supervision='I+S (image labels and saliency); masks only measure')
