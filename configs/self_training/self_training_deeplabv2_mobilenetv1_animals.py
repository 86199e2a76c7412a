# DeepLab v2 that labels the images it learnt from anew, by their tags.
# python tools/train.py \
#     configs/self_training/self_training_deeplabv2_mobilenetv1_animals.py
_base_ = [
    '../deeplab/deeplabv2_mobilenetv1_animals.py', '../_base_/datasets/tags.py'
]

seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='BaseWeakSegDataset',
        data_root=_base_.data_root,
        classes=_base_.metainfo['classes'],
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
