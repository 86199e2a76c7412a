# Own images: a threshold, stage and refiner that suit them, pseudo labels, checks, a
# segmentation model trained on them, its masks of these images, and a report.
# Where val_list names images with masks, these choose; a criterion that reads no
# mask does elsewhere. Where test_list names images with masks, the final model is
# scored on them. Training reads neither list.
# The recipe gives: localizer (config), a step named choose, and a report step.
data_root = 'data/own'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_folder.py'
# Initial weights: a file, or a name that mmengine knows.
weights = 'torchvision://resnet50'
segmentor_weights = 'open-mmlab://detectron2/resnet50_caffe'
# Lists below data_root; '' stands for all images. seed_list is train_list and
# val_list together.
train_list = ''
seed_list = ''
val_list = ''
test_list = ''
# A folder of masks of all training images, to train the same model on for comparison.
full_masks = ''
full_scored = ('{full_masks}', '{test_list}')
# What was said of the images and tags, for the report: checks.json of own_photos.py.
photo_checks = ''
protocol = dict(
    split='own photos: val chooses, test scores, training reads neither',
    labels='own tags',
    threshold='best on val; without masks, the criterion of tools/choose_labels.py',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='ImageNet; see the segmentation config',
    supervision='I (image labels)')
weak_lists = {
    'train_dataloader.dataset.ann_file': '{train_list}',
    'seed_dataloader.dataset.ann_file': '{seed_list}',
    'val_dataloader.dataset.ann_file': '{val_list}',
    'test_dataloader.dataset.ann_file': '{test_list}'
}
# Boundary networks have no validation.
boundary_lists = {
    'train_dataloader.dataset.ann_file': '{train_list}',
    'seed_dataloader.dataset.ann_file': '{seed_list}',
    'mean_shift_dataloader.dataset.ann_file': '{train_list}'
}
pseudo_lists = {
    'train_dataloader.dataset.ann_file': '{train_list}',
    'val_dataloader.dataset.ann_file': '{val_list}'
}
# Where the file of initial weights goes, of a ResNet and of a network of timm.
resnet_weights = {'model.backbone.init_cfg.checkpoint': '{weights}'}
timm_weights = {'model.backbone.pretrained_cfg_overlay.file': '{weights}'}
cfg_options = dict(
    localizer={
        **weak_lists,
        **resnet_weights
    },
    segmentor={
        **pseudo_lists, 'model.backbone.init_cfg.checkpoint': '{segmentor_weights}'
    })
train_localizer = dict(
    name='train_localizer', type='train', config='{localizer}',
    show=['seed/mIoU', 'seed/tag_mAP'])
seeds = dict(
    name='seeds', type='seeds', config='{localizer}',
    checkpoint='{train_localizer}/last_checkpoint')
choose = dict(
    name='choose', type='choose', config='{localizer}',
    refiners=['none', 'irn_label'],
    show=['chosen/stage', 'chosen/refiner', 'chosen/bg_thr', 'chosen/mIoU'])
pseudo_labels = dict(
    name='pseudo_labels', type='refine', config='{localizer}',
    seeds='{choose}/seeds',
    refiner='{choose:chosen/refiner}',
    bg_thr='{choose:chosen/bg_thr}')
check_labels = dict(
    name='check_labels', type='check', config='{localizer}',
    labels='{pseudo_labels}',
    seeds='{choose}/seeds',
    bg_thr='{choose:chosen/bg_thr}',
    training='{train_localizer}')
folder_steps = [
    dict(
        name='train_segmentor', type='train', config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_labels}'
        },
        show=['mIoU']),
    dict(
        name='test', type='test', config='{segmentor}', when='{test_list}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.ann_file': '{test_list}'},
        show=['mask/mIoU']),
    dict(
        name='train_full', type='train', config='{segmentor}', when=full_scored,
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{full_masks}'
        },
        show=['mIoU']),
    dict(
        name='test_full', type='test', config='{segmentor}', when=full_scored,
        checkpoint='{train_full}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.ann_file': '{test_list}'},
        show=['mask/mIoU']),
    dict(
        name='predict', type='test', config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={
            'test_evaluator': [
                dict(type='MaskMetric', on_missing_mask='skip', print_classes=False)
            ]
        },
        masks=True,
        show=[]),
]
test_score = dict(
    title='Segmentation mIoU on test', value='{test:mask/mIoU}', when='{test_list}')
headline = [
    dict(test_score, unless='{full_masks}'),
    dict(test_score, full='{test_full:mask/mIoU}', when=full_scored)
]
seed_column = dict(
    title='Seed', seeds='{choose}/seeds', bg_thr='{choose:chosen/bg_thr}')
columns = [
    dict(title='Pseudo label', masks='{pseudo_labels}'),
    dict(title='Prediction', masks='{predict}/masks'),
]
section = dict(
    title='My photos', num_images=16, rank_by='Pseudo label', columns=columns)
curve = dict(title='Training on pseudo labels', train='{train_segmentor}')
# With what was said of the seeds where they were chosen.
stage_checks = [
    '{photo_checks}', '{choose}/checks.json', '{check_labels}/checks.json'
]
report_step = dict(
    name='report', type='report', config='{localizer}',
    headline=headline,
    checks=['{photo_checks}', '{check_labels}/checks.json'],
    cfg_options={'val_dataloader.dataset.ann_file': '{seed_list}'},
    sections=[dict(section, columns=[seed_column, *columns])],
    curves=[
        dict(title='Training of the localizer', train='{train_localizer}'), curve
    ])
