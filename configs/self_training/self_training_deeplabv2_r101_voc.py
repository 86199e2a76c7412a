# DeepLab v2 that labels the images it learnt from anew, by their tags.
# python tools/train.py configs/self_training/self_training_deeplabv2_r101_voc.py
_base_ = ['../deeplab/deeplabv2_r101_voc.py', '../_base_/datasets/tags.py']

seed_dataloader = dict(
    dataset=dict(
        type='WeakVOCDataset',
        data_root=_base_.data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        label_file='image_labels.json'))
