# SANCE-sal: saliency maps refine the online labels; see sance_r101_voc_saliency.py
# for where they lie. Supervision: I+S.
# python tools/pipeline.py configs/sance/sance_r101_voc_saliency_pipeline.py
_base_ = './sance_r101_voc_pipeline.py'
title = 'SANCE with saliency on PASCAL VOC 2012'
sance = '{{ fileDirname }}/sance_r101_voc_saliency.py'
protocol = dict(supervision='I+S (image labels and saliency); masks only measure')
