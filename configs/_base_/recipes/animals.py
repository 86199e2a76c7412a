# Six animals of PASCAL VOC 2012 in a recipe.
data_root = 'data/voc_animals'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_mobilenetv1_animals.py'
# Ids of images that have masks to measure by.
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5 and flips for seeds; 1 for segmentation',
    weights='ImageNet',
    supervision='I (image labels); masks of train only measure')
