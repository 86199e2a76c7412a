# From tags to the labels of the final model. SIPE with FSAE goes on from the backbone
# of a CAM network; its seeds, which have a background of their own, walk inside IRN's
# boundaries; a segmentation model learns these labels and labels the images anew, by
# their tags. No threshold has to be chosen: that of the last labels was on animals of
# PASCAL VOC, see README.md.
# The recipe gives: classifier, localizer, irn and segmentor (configs, the latter with
# a seed_dataloader).
_base_ = '../../../../sipe/configs/_base_/recipes/sipe_labels.py'
recommended_steps = [
    dict(
        name='train_classifier', type='train', config='{classifier}',
        show=['seed/mIoU', 'seed/tag_mAP']),
    dict(
        name='train_localizer', type='train', config='{localizer}',
        cfg_options={
            'model.backbone.init_cfg.type': 'Pretrained',
            'model.backbone.init_cfg.prefix': 'backbone.',
            'model.backbone.init_cfg.checkpoint':
            '{train_classifier}/last_checkpoint',
        },
        show=['seed/mIoU', 'seed/tag_mAP']),
    dict(
        name='seeds', type='seeds', config='{localizer}',
        checkpoint='{train_localizer}/last_checkpoint'),
    _base_.label_step,
    _base_.walk_steps[0],
    dict(_base_.walk_steps[1], name='first_labels'),
    dict(
        name='train_1', type='train', config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{first_labels}'
        },
        show=['mIoU']),
    dict(
        name='seeds_1', type='seeds', config='{segmentor}',
        checkpoint='{train_1}/last_checkpoint'),
    dict(
        name='pseudo_labels', type='refine', config='{segmentor}',
        seeds='{seeds_1}',
        refiner='irn_label',
        bg_thr=0.3),
]
recommended_curves = [
    dict(title='Training of the classifier', train='{train_classifier}'),
    dict(title='Training of SIPE', train='{train_localizer}'), _base_.irn_curve,
    dict(title='Training on the first labels', train='{train_1}')
]
recommended_columns = [
    dict(title='Seed', seeds='{seeds}'),
    dict(title='First label', masks='{first_labels}')
]
