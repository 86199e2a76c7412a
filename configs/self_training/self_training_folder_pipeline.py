# Your own tagged images by self-training, no mask needed; docs/en/own_photos.md says
# how to lay them out. mmwsss run my_photos --method self_training calls this:
# python tools/pipeline.py configs/self_training/self_training_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = '../_base_/recipes/folder.py'
title = 'Self-training on my own photos'
localizer = '{{ fileDirname }}/localizer_folder.py'
segmentor = '{{ fileDirname }}/self_training_deeplabv2_folder.py'
tagged_lists = {
    **_base_.pseudo_lists, 'seed_dataloader.dataset.ann_file': '{seed_list}'
}
cfg_options = dict(segmentor=tagged_lists)
# The labels of the classifier train a model, whose masks by the tags are seeds again.
steps = [
    _base_.train_localizer,
    _base_.seeds,
    dict(_base_.choose, name='choose_first', stages=dict(classifier='{seeds}')),
    dict(
        _base_.pseudo_labels, name='first_labels', seeds='{choose_first}/seeds',
        refiner='{choose_first:chosen/refiner}',
        bg_thr='{choose_first:chosen/bg_thr}'),
    dict(
        _base_.check_labels, name='check_first', labels='{first_labels}',
        seeds='{choose_first}/seeds', bg_thr='{choose_first:chosen/bg_thr}',
        of='first labels'),
    dict(
        _base_.folder_steps[0], name='train_1',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{first_labels}'
        }),
    dict(
        _base_.seeds, name='seeds_1', config='{segmentor}',
        checkpoint='{train_1}/last_checkpoint'),
    dict(_base_.choose, stages=dict(classifier='{seeds}', segmentor='{seeds_1}')),
    _base_.pseudo_labels,
    dict(_base_.check_labels, training=None),
    *_base_.folder_steps,
    dict(
        _base_.report_step,
        checks=[
            '{photo_checks}', '{check_first}/checks.json', *_base_.stage_checks[1:]
        ],
        curves=[
            _base_.report_step['curves'][0],
            dict(title='Training on the first labels', train='{train_1}'), _base_.curve
        ])
]
