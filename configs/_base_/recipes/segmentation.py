# A segmentation model trained on the pseudo labels of an earlier step, and the
# same model with the same schedule on all masks, its upper bound; and the parts of
# the report that all recipes share.
# The recipe gives: segmentor (config), masks (of train), score_list.
segmentation_steps = [
    dict(
        name='train_segmentor', type='train', config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{pseudo_labels}'
        },
        show=['mIoU']),
    dict(
        name='test', type='test', config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        masks=True,
        show=['mIoU', 'mAcc']),
    dict(
        name='train_full', type='train', config='{segmentor}',
        cfg_options={'train_dataloader.dataset.data_prefix.seg_map_path': '{masks}'},
        show=['mIoU']),
    dict(
        name='test_full', type='test', config='{segmentor}',
        checkpoint='{train_full}/last_checkpoint',
        show=['mIoU', 'mAcc']),
    # On images of train, to be seen beside their seeds.
    dict(
        name='predict_train', type='test', config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.ann_file': '{score_list}'},
        masks=True,
        show=['mIoU']),
]
headline = [
    dict(title='Pseudo label mIoU', value='{score_pseudo_labels:mask/mIoU}'),
    dict(
        title='Segmentation mIoU on val',
        value='{test:mIoU}',
        full='{test_full:mIoU}'),
]
columns = [
    dict(title='Pseudo label', masks='{pseudo_labels}'),
    dict(title='Prediction', masks='{predict_train}/masks'),
]
train_section = dict(
    title='Photos of train', num_images=8, rank_by='Pseudo label', columns=columns)
val_section = dict(
    title='Photos of val',
    loader='test_dataloader',
    num_images=6,
    columns=[dict(title='Prediction', masks='{test}/masks')])
curves = [
    dict(title='Training on pseudo labels', train='{train_segmentor}'),
    dict(title='Training on all masks', train='{train_full}'),
]
