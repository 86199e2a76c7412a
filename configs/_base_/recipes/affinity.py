# Between seeds and segmentation: labels that leave doubtful pixels out, an
# affinity network trained on them, and pseudo labels by a walk that it guides.
# The recipe gives: localizer and affinity (configs); seeds come from its step
# "seeds".
affinity_steps = [
    dict(
        name='affinity_labels', type='refine', config='{affinity}',
        seeds='{seeds}',
        refiner='config'),
    dict(
        name='train_affinity', type='train', config='{affinity}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{affinity_labels}'
        }),
    dict(
        name='pseudo_labels', type='walk', config='{affinity}',
        checkpoint='{train_affinity}/last_checkpoint',
        seeds='{seeds}'),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
