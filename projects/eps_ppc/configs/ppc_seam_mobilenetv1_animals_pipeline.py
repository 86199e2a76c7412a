# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/ppc_seam_mobilenetv1_animals_pipeline.py
_base_ = '../../../configs/seam/seam_mobilenetv1_animals_pipeline.py'
title = 'PPC on SEAM with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/ppc_seam_mobilenetv1_animals.py'
