# Your own images: DeepLab v2 that labels the photos it learnt from anew, by their tags.
# python tools/train.py \
#     configs/self_training/self_training_deeplabv2_mobilenetv1_folder.py
_base_ = ['../deeplab/deeplabv2_mobilenetv1_folder.py', '../_base_/datasets/tags.py']

seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakFolderDataset',
        data_root=_base_.data_root,
        data_prefix=dict(img_path='photos'),
        label_file='tags.csv',
        classes=_base_.classes))
