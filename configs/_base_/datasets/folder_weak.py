# One's own images with tags: <data_root>/photos, tags.csv, classes.txt and, for
# scoring, masks; see docs/en/own_photos.md. The tools set the model's
# num_classes to the number of classes.
_base_ = './weak.py'

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
# Scores need masks; images without one are predicted and not scored.
val_dataloader = dict(
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='photos', seg_map_path='masks'),
        with_masks='available'))
test_dataloader = val_dataloader
seed_dataloader = train_dataloader
val_evaluator = dict(on_missing_mask='skip')
test_evaluator = val_evaluator
