# From tags, and saliency from the images alone, to a segmentation model of
# six animals of PASCAL VOC, on a CPU:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/eps_ppc/configs/eps_mobilenetv1_animals_pipeline.py
_base_ = [
    '../../../configs/_base_/recipes/cam.py',
    '../../../configs/_base_/recipes/animals.py'
]
title = 'EPS with MobileNetV1 on six animals of PASCAL VOC 2012'
localizer = '{{ fileDirname }}/eps_mobilenetv1_animals.py'
protocol = dict(
    supervision='I+S (image labels and a stand-in for saliency); masks of train '
    'only measure')
changes = dict(
    train_localizer=dict(
        cfg_options={
            'train_dataloader.dataset.data_prefix.saliency_path': '{saliency}'
        }),
    pseudo_labels=dict(refiner='none'))
localization_steps = [
    dict(step, **changes.get(step['name'], {})) for step in _base_.localization_steps
]
steps = [
    dict(
        name='saliency',
        type='command',
        command=[
            'python', '{{ fileDirname }}/../make_saliency.py',
            '{data_root}/JPEGImages', '{saliency}'
        ],
        inputs=['{data_root}/JPEGImages']),
    *localization_steps,
    *_base_.segmentation_steps,
    _base_.report_step,
]
