# From seeds to pseudo labels by IRN: confident labels train a boundary network,
# inside whose boundaries the seeds walk; the threshold suits them best.
# The recipe gives: localizer (config), irn (config), conf_fg and conf_bg (what
# counts as confident).
irn_steps = [
    dict(
        name='affinity_labels', type='refine', config='{localizer}',
        seeds='{seeds}',
        refiner='irn_two_threshold',
        conf_fg='{conf_fg}',
        conf_bg='{conf_bg}'),
    dict(
        name='train_irn', type='train', config='{irn}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{affinity_labels}'
        }),
    dict(
        name='walk', type='walk', config='{irn}',
        checkpoint='{train_irn}/last_checkpoint',
        seeds='{seeds}',
        keep_seeds=True),
    dict(
        name='score_walk', type='score_seeds', config='{localizer}',
        seeds='{walk}/seeds',
        show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
              'seed/threshold']),
    dict(
        name='pseudo_labels', type='refine', config='{localizer}',
        seeds='{walk}/seeds',
        refiner='none',
        bg_thr='{score_walk:seed/threshold}'),
    dict(
        name='score_pseudo_labels', type='score_masks', config='{localizer}',
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
]
irn_thresholds = {
    'Seed': '{score_seeds}/details.json',
    'After the walk': '{score_walk}/details.json'
}
irn_curve = dict(title='Training of IRN', train='{train_irn}')
