# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_plus_mobilenetv1_animals_pipeline.py
_base_ = '../../../configs/psa/psa_mobilenetv1_animals_pipeline.py'
title = 'MCTformer+ with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/mctformer_plus_mobilenetv1_animals.py'
