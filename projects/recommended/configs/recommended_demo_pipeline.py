# From tags to a segmentation model on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/recommended/configs/recommended_demo_pipeline.py
_base_ = ['./_base_/recipes/recommended.py', '../../../configs/_base_/recipes/demo.py']
title = 'The recommended recipe on generated scenes'
configs = '{{ fileDirname }}/../../../configs'
classifier = f'{configs}/cam/cam_demo.py'
localizer = '{{ fileDirname }}/../../sipe/configs/fsae_sipe_demo.py'
irn = f'{configs}/irn/irn_demo.py'
segmentor = f'{configs}/self_training/self_training_deeplabv2_demo.py'
protocol = dict(
    threshold='none: seeds have a background of their own, labels of the segmentation '
    'model are cut at 0.3')
# The backbone's init_cfg is None, as it starts from scratch elsewhere.
start = dict(
    _delete_=True, type='Pretrained', prefix='backbone.',
    checkpoint='{train_classifier}/last_checkpoint')
steps = [
    _base_.data_step,
    _base_.steps[0],
    dict(_base_.steps[1], cfg_options={'model.backbone.init_cfg': start}),
    *_base_.steps[2:],
]
