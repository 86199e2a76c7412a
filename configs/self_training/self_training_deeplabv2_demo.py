# DeepLab v2 that labels the images it learnt from anew, by their tags.
# python tools/train.py configs/self_training/self_training_deeplabv2_demo.py
_base_ = ['../deeplab/deeplabv2_demo.py', '../_base_/datasets/tags.py']

seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakDemoDataset',
        data_root=_base_.data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
