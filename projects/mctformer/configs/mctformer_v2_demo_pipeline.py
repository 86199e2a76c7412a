# From tags to a segmentation model on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/mctformer/configs/mctformer_v2_demo_pipeline.py
_base_ = '../../../configs/psa/psa_demo_pipeline.py'
title = 'MCTformer-V2 on generated scenes'
localizer = '{{ fileDirname }}/mctformer_v2_demo.py'
