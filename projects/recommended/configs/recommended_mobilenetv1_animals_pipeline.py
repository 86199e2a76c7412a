# From tags to a segmentation model of six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/recommended/configs/recommended_mobilenetv1_animals_pipeline.py
# Another run: --cfg-options seed=1; images to learn from, and those whose masks score
# the labels: train_list=..., score_list=...
_base_ = [
    './_base_/recipes/recommended.py', '../../../configs/_base_/recipes/animals.py'
]
title = 'From tags with MobileNetV1 on six animals of PASCAL VOC 2012'
seed = 0
configs = '{{ fileDirname }}/../../../configs'
classifier = f'{configs}/cam/cam_mobilenetv1_animals.py'
localizer = '{{ fileDirname }}/../../sipe/configs/fsae_sipe_mobilenetv1_animals.py'
irn = f'{configs}/irn/irn_mobilenetv1_animals.py'
segmentor = f'{configs}/self_training/self_training_deeplabv2_mobilenetv1_animals.py'
train_list = 'ImageSets/Segmentation/train.txt'
of_run = {
    'train_dataloader.dataset.ann_file': '{train_list}',
    'randomness.seed': '{seed}'
}
scored = {'val_dataloader.dataset.ann_file': '{score_list}'}
cfg_options = dict(
    classifier={
        **of_run,
        **scored
    },
    # Weights of the classifier; FSAE begins when half of the iterations are done.
    localizer={
        **of_run,
        **scored, 'model.backbone.pretrained': False,
        'model.start_iter': 200,
        'train_dataloader.batch_size': 8,
        'train_cfg.max_iters': 400,
        'train_cfg.val_interval': 400,
        'param_scheduler.end': 401
    },
    irn=of_run,
    segmentor=of_run)
protocol = dict(
    threshold='none: seeds have a background of their own, labels of the segmentation '
    'model are cut at 0.3',
    scales='0.5, 1, 1.5 and flips for seeds; 1 and flip for boundaries and by tags; 1 '
    'for segmentation')
