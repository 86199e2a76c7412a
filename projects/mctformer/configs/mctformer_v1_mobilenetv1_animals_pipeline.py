# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v1_mobilenetv1_animals_pipeline.py
_base_ = '../../../configs/psa/psa_mobilenetv1_animals_pipeline.py'
title = 'MCTformer-V1 with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/mctformer_v1_mobilenetv1_animals.py'
