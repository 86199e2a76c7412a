# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# python tools/pipeline.py configs/psa/psa_mobilenetv1_animals_pipeline.py
_base_ = ['../_base_/recipes/psa.py', '../_base_/recipes/animals.py']
title = 'PSA with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_animals.py'
affinity = '{{ fileDirname }}/psa_mobilenetv1_animals.py'
protocol = dict(threshold='best mIoU on train for seeds, and for the walk of them')
# The published power suits other seeds.
steps = [
    dict(
        step,
        cfg_options={
            'walk.alpha': None,
            'walk.bg_thr': '{score_seeds:seed/threshold}'
        }) if step['type'] == 'walk' else step
    for step in _base_.steps
]
