# A segmentation model trained on the pseudo labels of an earlier step, and the
# same model with the same schedule on all masks, its upper bound.
# The recipe gives: segmentor (config), masks (of train), score_list.
segmentation_steps = [
    dict(
        name='train_segmentor',
        type='train',
        config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path':
            '{pseudo_labels}'
        },
        show=['mIoU']),
    dict(
        name='test',
        type='test',
        config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        masks=True,
        show=['mIoU', 'mAcc']),
    dict(
        name='train_full',
        type='train',
        config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{masks}'
        },
        show=['mIoU']),
    dict(
        name='test_full',
        type='test',
        config='{segmentor}',
        checkpoint='{train_full}/last_checkpoint',
        show=['mIoU', 'mAcc']),
    # On photos of train, to be seen beside their seeds.
    dict(
        name='predict_train',
        type='test',
        config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={'test_dataloader.dataset.ann_file': '{score_list}'},
        masks=True,
        show=['mIoU']),
]
