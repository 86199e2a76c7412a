# Six animals of PASCAL VOC 2012 at 320 pixels: a subset for development on a
# CPU. tools/dataset_converters/subset.py makes it from a copy of VOC.
_base_ = './weak.py'

dataset_type = 'BaseWeakSegDataset'
data_root = 'data/voc_animals'
classes = ('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep')
crop_size = (256, 256)
train_pipeline = [
    dict(type='SetRandomState'),
    dict(type='LoadPILImage'),
    dict(type='RandomResizeLong', min_long=224, max_long=416),
    dict(type='RandomFlip', prob=0.5),
    # pad_val is the mean of the data preprocessor.
    dict(type='RandomCropPad', crop_size=crop_size, pad_val=(127.5, 127.5, 127.5)),
    dict(type='PackWeakInputs')
]
# Without scale 2, which takes more than half of the time.
img_scales = [1.0, 0.5, 1.5]
tta_pipeline = [
    _base_.tta_pipeline[0],
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=s) for s in img_scales],
                    *_base_.tta_pipeline[1]['transforms'][1:]])
]
train_dataloader = dict(
    num_workers=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        classes=classes,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        label_file='image_labels.json',
        pipeline=train_pipeline))
seed_dataloader = dict(
    num_workers=1,
    dataset=dict(train_dataloader['dataset'], pipeline=tta_pipeline))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        train_dataloader['dataset'],
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    protocol=dict(split='six animals of VOC 2012, train', labels='masks'))
test_evaluator = val_evaluator
