# Your own images: DeepLab v2 that labels the images it learnt from anew, by their tags.
# python tools/train.py configs/self_training/self_training_deeplabv2_folder.py
_base_ = ['../deeplab/deeplabv2_folder.py', '../_base_/datasets/folder_tags.py']
