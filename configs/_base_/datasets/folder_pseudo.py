# One's own images with pseudo labels to train on and, where there are any,
# masks to score on; see docs/en/own_photos.md. The tools set the model's
# num_classes to the number of classes.
_base_ = './pseudo.py'

dataset_type = 'WeakFolderDataset'
data_root = 'data/own'
classes = 'classes.txt'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='photos', seg_map_path='pseudo_labels'),
        ann_file='',
        classes=classes,
        with_masks=True))
# Images without a mask are predicted and not scored. Give ann_file a list of
# ids to score images that were not trained on.
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='photos', seg_map_path='masks'),
        with_masks='available'))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='MaskMetric', on_missing_mask='skip')
test_evaluator = val_evaluator
