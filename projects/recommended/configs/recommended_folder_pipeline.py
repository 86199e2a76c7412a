# Your own tagged images, no mask needed; docs/en/own_photos.md says how to lay them
# out. mmwsss run my_photos --method recommended calls this:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/recommended/configs/recommended_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = [
    './_base_/recipes/recommended_steps.py',
    '../../../configs/_base_/recipes/folder.py'
]
title = 'From tags on my own photos'
configs = '{{ fileDirname }}/../../../configs'
classifier = f'{configs}/cam/cam_folder.py'
localizer = '{{ fileDirname }}/../../sipe/configs/fsae_sipe_r50_folder.py'
irn = f'{configs}/irn/irn_folder.py'
segmentor = f'{configs}/self_training/self_training_deeplabv2_folder.py'
tagged_lists = {
    **_base_.pseudo_lists, 'seed_dataloader.dataset.ann_file': '{seed_list}'
}
cfg_options = dict(
    classifier={
        **_base_.weak_lists,
        **_base_.resnet_weights
    },
    localizer=dict(
        _delete_=True, **_base_.weak_lists, **{'model.start_iter': 150}),
    irn={
        **_base_.boundary_lists,
        **_base_.resnet_weights
    },
    segmentor=tagged_lists)
protocol = dict(
    threshold='none: seeds have a background of their own, labels of the segmentation '
    'model are cut at 0.3')
steps = [
    *_base_.recommended_steps[:6],
    dict(
        name='check_first', type='check', config='{localizer}',
        labels='{first_labels}',
        training='{train_classifier}',
        of='first labels'),
    *_base_.recommended_steps[6:],
    dict(
        name='check_labels', type='check', config='{localizer}',
        labels='{pseudo_labels}'),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        checks=[
            '{photo_checks}', '{check_first}/checks.json',
            '{check_labels}/checks.json'
        ],
        sections=[
            dict(
                _base_.section,
                columns=[*_base_.recommended_columns, *_base_.columns])
        ],
        curves=[*_base_.recommended_curves, _base_.curve])
]
