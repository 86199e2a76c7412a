# From tags to the mIoU on COCO 2014 val. The 82,000 images get no seed files:
# seeds go through dense CRF to label maps on the way, at a threshold fitted on
# the first 5,000 images.
# The recipe gives: localizer (config).
_base_ = './cam.py'
data_root = 'data/coco'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_r101_coco.py'
score_list = 'lists/train2014_labeled.txt'
masks = 'masks/train2014'
sample = 5000
protocol = dict(
    split='training on train2014, seeds scored on its first 5000 images with '
    'tags, segmentation on val2014',
    labels='classes of the instance annotations, see docs/en/coco.md',
    threshold='best mIoU on those images of train2014',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet for the classifier; see the segmentation config',
    supervision='I (image labels)')
steps = [
    _base_.localization_steps[0],
    dict(
        _base_.localization_steps[1],
        cfg_options={'seed_dataloader.dataset.indices': '{sample}'}),
    dict(
        _base_.localization_steps[2],
        cfg_options={'val_dataloader.dataset.indices': '{sample}'}),
    dict(
        _base_.localization_steps[1], name='pseudo_labels', refiner='irn_label',
        bg_thr='{score_seeds:seed/threshold}',
        jobs=4),
    dict(
        _base_.localization_steps[4],
        cfg_options={'val_dataloader.dataset.indices': None}),
    *_base_.segmentation_steps[:-1],
    # Predictions on images of train are for the report only.
    dict(
        _base_.segmentation_steps[-1],
        cfg_options={
            'test_dataloader.dataset.ann_file': '{score_list}',
            'test_dataloader.dataset.indices': sample,
            'test_dataloader.dataset.data_prefix.img_path': 'train2014',
            'test_dataloader.dataset.data_prefix.seg_map_path': masks
        }),
    dict(
        _base_.report_step,
        cfg_options={'val_dataloader.dataset.indices': '{sample}'},
        sections=[dict(_base_.report_step['sections'][0], num_images=10)],
        thresholds=dict(Seeds='{score_seeds}/details.json')),
]
