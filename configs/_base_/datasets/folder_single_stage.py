# One's own images with tags for single-stage training; scored where there are
# masks, with the tags.
_base_ = './single_stage.py'

dataset_type = 'WeakFolderDataset'
data_root = 'data/own'
classes = 'classes.txt'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='photos'),
        label_file='tags.csv',
        classes=classes))
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='photos', seg_map_path='masks'),
        with_masks='available'))
test_dataloader = val_dataloader
seed_dataloader = train_dataloader
val_evaluator = dict(
    _delete_=True,
    type='MaskMetric',
    on_missing_mask='skip',
    protocol=dict(
        split='own photos',
        labels='own tags',
        scales='1',
        crf='no',
        weights='ImageNet',
        supervision='I'))
test_evaluator = val_evaluator
