# From tags, and saliency from the images alone, to a segmentation model
# on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py projects/eps_ppc/configs/eps_demo_pipeline.py
_base_ = '../../../configs/cam/cam_demo_pipeline.py'
title = 'EPS on generated scenes'
localizer = '{{ fileDirname }}/eps_demo.py'
protocol = dict(
    supervision='I+S (image labels and a stand-in for saliency); masks only '
    'measure')
changes = dict(
    train_localizer=dict(
        cfg_options={
            'train_dataloader.dataset.data_prefix.saliency_path': '{saliency}'
        }),
    pseudo_labels=dict(refiner='none'))
base_steps = [dict(step, **changes.get(step['name'], {})) for step in _base_.steps]
# Behind the step that makes the data.
steps = [
    base_steps[0],
    dict(
        name='saliency',
        type='command',
        command=[
            'python', '{{ fileDirname }}/../make_saliency.py',
            '{data_root}/JPEGImages', '{saliency}'
        ]),
    *base_steps[1:],
]
