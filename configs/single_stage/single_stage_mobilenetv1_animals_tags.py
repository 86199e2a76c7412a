# Test only: images of train with their image labels.
# python tools/test.py \
#     configs/single_stage/single_stage_mobilenetv1_animals_tags.py CHECKPOINT --tta
_base_ = './single_stage_mobilenetv1_animals_crf.py'

test_dataloader = dict(
    dataset=dict(
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json'))
