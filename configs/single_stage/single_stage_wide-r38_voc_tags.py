# Test only: with image labels, which remove the masks of absent classes; images
# of train or, by test_dataloader.dataset.ann_file, of val.
# python tools/test.py \
#     configs/single_stage/single_stage_wide-r38_voc_tags.py CHECKPOINT --tta
_base_ = './single_stage_wide-r38_voc_crf.py'

test_dataloader = dict(
    dataset=dict(
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
