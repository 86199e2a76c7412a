# From tags to the mIoU on COCO 2014 val. The 82,000 photos get no seed files:
# seeds go through dense CRF to label maps on the way, at a threshold fitted on
# the first 5,000 photos.
# The recipe gives: localizer (config).
_base_ = './segmentation.py'
data_root = 'data/coco'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_r101_coco.py'
score_list = 'lists/train2014_labeled.txt'
masks = 'masks/train2014'
sample = 5000
protocol = dict(
    split='training on train2014, seeds scored on its first 5000 photos with '
    'tags, segmentation on val2014',
    labels='classes of the instance annotations, see docs/en/coco.md',
    threshold='best mIoU on those photos of train2014',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet for the classifier; see the segmentation config',
    supervision='I (image labels)')
# Predictions on photos of train are for the report only.
_base_.segmentation_steps[-1]['cfg_options'].update({
    'test_dataloader.dataset.indices': sample,
    'test_dataloader.dataset.data_prefix.img_path': 'train2014',
    'test_dataloader.dataset.data_prefix.seg_map_path': masks
})
steps = [
    dict(
        name='train_localizer',
        type='train',
        config='{localizer}',
        show=['seed/mIoU', 'seed/tag_mAP']),
    dict(
        name='seeds',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        cfg_options={'seed_dataloader.dataset.indices': '{sample}'}),
    dict(
        name='score_seeds',
        type='score_seeds',
        config='{localizer}',
        seeds='{seeds}',
        cfg_options={'val_dataloader.dataset.indices': '{sample}'},
        show=[
            'seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
            'seed/threshold'
        ]),
    dict(
        name='pseudo_labels',
        type='seeds',
        config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint',
        refiner='irn_label',
        threshold='{score_seeds:seed/threshold}',
        jobs=4),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config='{localizer}',
        masks='{pseudo_labels}',
        cfg_options={'val_dataloader.dataset.indices': None},
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
    *_base_.segmentation_steps,
    dict(
        name='report',
        type='report',
        config='{localizer}',
        cfg_options={'val_dataloader.dataset.indices': '{sample}'},
        headline=[
            dict(title='Seed mIoU', value='{score_seeds:seed/mIoU}'),
            dict(
                title='Pseudo label mIoU',
                value='{score_pseudo_labels:mask/mIoU}'),
            dict(
                title='Segmentation mIoU on val',
                value='{test:mIoU}',
                full='{test_full:mIoU}'),
        ],
        sections=[
            dict(
                title='Photos of train',
                num_images=10,
                rank_by='Pseudo label',
                columns=[
                    dict(
                        title='Seed',
                        seeds='{seeds}',
                        threshold='{score_seeds:seed/threshold}'),
                    dict(title='Pseudo label', masks='{pseudo_labels}'),
                    dict(title='Prediction', masks='{predict_train}/masks'),
                ]),
        ],
        thresholds=dict(Seeds='{score_seeds}/details.json'),
        curves=[
            dict(title='Training of the classifier', train='{train_localizer}'),
            dict(title='Training on pseudo labels', train='{train_segmentor}'),
            dict(title='Training on all masks', train='{train_full}'),
        ])
]
