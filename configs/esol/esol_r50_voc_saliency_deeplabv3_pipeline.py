# Appendix, Table 3: ESOL-sal with DeepLab v3 on ResNet-101. Supervision: I+S.
# python tools/pipeline.py configs/esol/esol_r50_voc_saliency_deeplabv3_pipeline.py
_base_ = './esol_r50_voc_saliency_pipeline.py'
title = 'ESOL with saliency on PASCAL VOC 2012, DeepLab v3'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv3_r101_voc.py'
