# A segmentation model trained on the pseudo labels of an earlier step, and its
# masks of one's own photos; nothing is scored where masks lack.
# The recipe gives: segmentor (config).
folder_steps = [
    dict(
        name='train_segmentor',
        type='train',
        config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path':
            '{pseudo_labels}'
        }),
    dict(
        name='predict',
        type='test',
        config='{segmentor}',
        checkpoint='{train_segmentor}/last_checkpoint',
        cfg_options={
            'test_evaluator': [dict(type='MaskMetric', on_missing_mask='skip')]
        },
        masks=True),
]
