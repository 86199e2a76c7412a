# What we recommend. SIPE with FSAE goes on from the backbone of a CAM network; its
# seeds, which have a background of their own, walk inside IRN's boundaries; a
# segmentation model learns these labels and labels the images anew, by their tags;
# the final model learns from that. There is no threshold to choose.
# The recipe gives: classifier, localizer, irn and segmentor (configs, the latter with
# a seed_dataloader), and a data set, such as voc.py.
_base_ = '../../../../sipe/configs/_base_/recipes/sipe.py'
train_localizer, seeds, score_seeds = _base_.steps[:3]
label_step, score_affinity_labels, train_irn, walk, score_labels = _base_.steps[3:8]
recommended_steps = [
    dict(train_localizer, name='train_classifier', config='{classifier}'),
    dict(
        train_localizer,
        cfg_options={
            'model.backbone.init_cfg.type': 'Pretrained',
            'model.backbone.init_cfg.prefix': 'backbone.',
            'model.backbone.init_cfg.checkpoint':
            '{train_classifier}/last_checkpoint',
        }),
    seeds,
    label_step,
    train_irn,
    dict(walk, name='first_labels'),
    dict(
        name='train_1', type='train', config='{segmentor}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{first_labels}'
        },
        show=['mIoU']),
    dict(
        name='seeds_1', type='seeds', config='{segmentor}',
        checkpoint='{train_1}/last_checkpoint',
        cfg_options={'tta_model.absent': 'shared'}),
    dict(
        name='pseudo_labels', type='refine', config='{segmentor}',
        seeds='{seeds_1}',
        refiner='irn_label',
        bg_thr=0.5),
]
score_first_labels = dict(
    score_labels, name='score_first_labels', masks='{first_labels}')
recommended_report_step = dict(
    _base_.sipe_report_step,
    headline=[
        _base_.sipe_report_step['headline'][0],
        dict(title='First labels mIoU', value='{score_first_labels:mask/mIoU}'),
        *_base_.headline
    ],
    sections=[
        dict(
            _base_.train_section,
            columns=[
                dict(title='Seed', seeds='{seeds}'),
                dict(title='First label', masks='{first_labels}'), *_base_.columns
            ]), _base_.val_section
    ],
    curves=[
        dict(title='Training of the classifier', train='{train_classifier}'),
        dict(title='Training of SIPE', train='{train_localizer}'), _base_.irn_curve,
        dict(title='Training on the first labels', train='{train_1}'), *_base_.curves
    ])
steps = [
    *recommended_steps[:3],
    score_seeds,
    *recommended_steps[3:6],
    score_first_labels,
    *recommended_steps[6:],
    score_labels,
    *_base_.segmentation_steps,
    recommended_report_step,
]
del train_localizer, seeds, score_seeds, label_step, score_affinity_labels
del train_irn, walk, score_labels, score_first_labels
