# COCO 2014 with pseudo labels to train on and masks to score on, as
# tools/dataset_converters/coco.py lays them out.
_base_ = './pseudo.py'

dataset_type = 'COCOSegDataset'
data_root = 'data/coco'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train2014', seg_map_path='pseudo_labels'),
        # Images without tags have no seed, hence no pseudo label.
        ann_file='lists/train2014_labeled.txt'))
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='val2014', seg_map_path='masks/val2014'),
        ann_file='lists/val2014.txt'))
test_dataloader = val_dataloader
