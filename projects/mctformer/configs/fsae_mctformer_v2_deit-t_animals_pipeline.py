# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-t_animals_pipeline.py
_base_ = '../../../configs/psa/psa_mobilenetv1_animals_pipeline.py'
title = 'FSAE on MCTformer-V2 with DeiT-Tiny on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/fsae_mctformer_v2_deit-t_animals.py'
protocol = dict(scales='1 and flip for seeds; 1 for segmentation')
