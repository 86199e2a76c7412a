# From tags to a segmentation model on generated scenes by CAM and IRN, in minutes
# on two CPU cores:
# python tools/pipeline.py configs/irn/irn_demo_pipeline.py
_base_ = [
    '../_base_/pipelines/cam.py', '../_base_/pipelines/irn.py',
    '../_base_/pipelines/segmentation.py'
]
title = 'CAM and IRN on generated scenes'
data_root = 'data/demo'
localizer = '{{ fileDirname }}/../cam/cam_demo.py'
irn = '{{ fileDirname }}/irn_demo.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_demo.py'
# Around the best threshold of these seeds.
conf_fg = 0.45
conf_bg = 0.2
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the generated scenes',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 and flip for boundaries; 1 for '
    'segmentation',
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
    # Without the pseudo labels of CAM.
    *_base_.localization_steps[:-2],
    *_base_.irn_steps,
    *_base_.segmentation_steps,
    _base_.irn_report_step,
]
