# Test only: as published for this backbone, with image labels; images of train or,
# by test_dataloader.dataset.ann_file, of val.
# python tools/test.py \
#     configs/single_stage/single_stage_vgg16_voc_tags.py CHECKPOINT --tta
_base_ = './single_stage_vgg16_voc_crf.py'

test_dataloader = dict(
    dataset=dict(
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
