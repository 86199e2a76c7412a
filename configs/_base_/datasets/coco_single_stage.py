# COCO 2014 with image labels for single-stage training.
_base_ = './single_stage.py'

dataset_type = 'WeakCOCODataset'
data_root = 'data/coco'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014.txt',
        label_file='labels_train2014.json'))
test_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='val2014', seg_map_path='masks/val2014'),
        ann_file='lists/val2014.txt',
        label_file=''))
# 2,000 images are enough while it trains.
val_dataloader = dict(dataset=dict(test_dataloader['dataset'], indices=2000))
# Images without tags train as all-negative but get no seeds.
seed_dataloader = dict(
    dataset=dict(train_dataloader['dataset'], ann_file='lists/train2014_labeled.txt'))
