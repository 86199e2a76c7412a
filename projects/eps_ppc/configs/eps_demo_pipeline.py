# From tags, and saliency from the photos alone, to a segmentation model
# on generated scenes, on a CPU:
# PYTHONPATH=. python tools/pipeline.py projects/eps_ppc/configs/eps_demo_pipeline.py
_base_ = '../../../configs/cam/cam_demo_pipeline.py'
title = 'EPS on generated scenes'
localizer = '{{ fileDirname }}/eps_demo.py'
protocol = dict(
    supervision='I+S (image labels and a stand-in for saliency); masks only '
    'measure')
for step in _base_.steps:
    if step['name'] == 'train_localizer':
        step['cfg_options'] = {
            'train_dataloader.dataset.data_prefix.saliency_path': '{saliency}'
        }
    elif step['name'] == 'pseudo_labels':
        step['refiner'] = 'none'
# Behind the step that makes the data.
steps = [
    _base_.steps[0],
    dict(
        name='saliency',
        type='command',
        command=[
            'python', '{{ fileDirname }}/../make_saliency.py',
            '{data_root}/JPEGImages', '{saliency}'
        ]),
    *_base_.steps[1:],
]
del step
