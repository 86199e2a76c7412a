# One's own images that a trained segmentation model labels anew by their tags.
_base_ = './tags.py'

seed_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type='WeakFolderDataset',
        data_root='data/own',
        data_prefix=dict(img_path='photos'),
        label_file='tags.csv',
        classes='classes.txt'))
