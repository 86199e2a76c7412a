# PASCAL VOC 2012 in a recipe.
data_root = 'data/VOCdevkit/VOC2012'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_r101_voc.py'
# Ids of images that have masks to measure by.
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClassAug'
protocol = dict(
    split='training on train_aug, seeds scored on train, segmentation on val',
    labels='classes of the XML files or masks, see docs/en/voc.md',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet for the classifier; see the segmentation config',
    supervision='I (image labels)')
