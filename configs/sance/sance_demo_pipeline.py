# From tags to a segmentation model by SANCE:
# python tools/pipeline.py configs/sance/sance_demo_pipeline.py
_base_ = [
    '../_base_/pipelines/sance.py', '../_base_/pipelines/segmentation.py'
]
title = 'SANCE on generated scenes'
data_root = 'data/demo'
localizer = '{{ fileDirname }}/../cam/cam_demo.py'
sance = '{{ fileDirname }}/sance_demo.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_demo.py'
conf_fg = 0.30
conf_bg = 0.05
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='labels on train, segmentation on val',
    labels='tags of the generated scenes',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation',
    weights='none, all networks start from scratch',
    supervision='I (image labels); masks of train only measure')
steps = [
    dict(
        name='data',
        type='command',
        command=[
            'python', '{tools}/dataset_converters/make_demo_data.py', '--out',
            '{data_root}', '--num-train', 200, '--num-val', 60
        ],
        outputs=['{data_root}']),
    *_base_.sance_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
