# Six animals of PASCAL VOC 2012 with image labels for single-stage training; see
# animals_weak.py.
_base_ = './single_stage.py'

dataset_type = 'BaseWeakSegDataset'
data_root = 'data/voc_animals'
classes = ('background', 'cat', 'cow', 'dog', 'horse', 'person', 'sheep')
crop_size = (224, 224)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], scale=crop_size),
    *_base_.train_pipeline[3:]
]
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
        ann_file='ImageSets/Segmentation/val.txt',
        label_file='',
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
