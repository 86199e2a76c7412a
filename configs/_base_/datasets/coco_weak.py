# COCO 2014 with image labels. tools/dataset_converters/coco.py writes masks,
# labels and lists into data_root; see docs/en/coco.md.
_base_ = './weak.py'

dataset_type = 'WeakCOCODataset'
data_root = 'data/coco'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014'),
        ann_file='lists/train2014.txt',
        label_file='labels_train2014.json'))
# Images without tags train as all-negative but get no seeds.
seed_dataloader = dict(
    dataset=dict(train_dataloader['dataset'], ann_file='lists/train2014_labeled.txt'))
test_dataloader = dict(
    dataset=dict(
        seed_dataloader['dataset'],
        data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014')))
# At the stage borders 2,000 images are enough.
val_dataloader = dict(dataset=dict(test_dataloader['dataset'], indices=2000))
val_evaluator = dict(
    protocol=dict(split='COCO 2014 train', labels='instances (docs/en/coco.md)'))
test_evaluator = val_evaluator
