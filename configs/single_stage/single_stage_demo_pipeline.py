# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/single_stage/single_stage_demo_pipeline.py
_base_ = [
    '../_base_/pipelines/single_stage.py', '../_base_/pipelines/segmentation.py'
]
title = 'Single-stage segmentation on generated scenes'
data_root = 'data/demo'
localizer = '{{ fileDirname }}/single_stage_demo.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_demo.py'
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the generated scenes',
    threshold='none: masks have a background of their own',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='none, all networks start from scratch',
    supervision='image labels; masks only measure')
steps = [
    dict(
        name='data',
        type='command',
        command=[
            'python', '{tools}/dataset_converters/make_demo_data.py', '--out',
            '{data_root}', '--num-train', 200, '--num-val', 60
        ],
        outputs=['{data_root}']),
    *_base_.localization_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
