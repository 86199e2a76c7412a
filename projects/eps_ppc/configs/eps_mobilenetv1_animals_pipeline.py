# From tags, and saliency from the photos alone, to a segmentation model of
# six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/eps_mobilenetv1_animals_pipeline.py
_base_ = [
    '../../../configs/_base_/pipelines/cam.py',
    '../../../configs/_base_/pipelines/segmentation.py'
]
title = 'EPS with MobileNetV1 on six animals of PASCAL VOC 2012'
data_root = 'data/voc_animals'
localizer = '{{ fileDirname }}/eps_mobilenetv1_animals.py'
segmentor = (
    '{{ fileDirname }}/../../../configs/deeplab/deeplabv2_mobilenetv1_animals.py')
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5 and flips for seeds; 1 for segmentation',
    weights='ImageNet',
    supervision='I+S (image labels and a stand-in for saliency); masks of train '
    'only measure')
for step in _base_.localization_steps:
    if step['name'] == 'train_localizer':
        step['cfg_options'] = {
            'train_dataloader.dataset.data_prefix.saliency_path': '{saliency}'
        }
    elif step['name'] == 'pseudo_labels':
        step['refiner'] = 'none'
del step
steps = [
    dict(
        name='saliency',
        type='command',
        command=[
            'python', '{{ fileDirname }}/../make_saliency.py',
            '{data_root}/JPEGImages', '{saliency}'
        ]),
    *_base_.localization_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
