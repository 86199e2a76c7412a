# Your own tagged images by single-stage training on a CPU, which begins with the
# features of a CAM network. mmwsss run my_photos --method single_stage --preset cpu
# calls this:
# python tools/pipeline.py \
#     configs/single_stage/single_stage_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './single_stage_folder_pipeline.py'
classifier = '{{ fileDirname }}/../cam/cam_mobilenetv1_folder.py'
localizer = '{{ fileDirname }}/single_stage_mobilenetv1_folder.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_folder.py'
protocol = dict(
    scales='0.5, 1, 1.5 and flips for pseudo labels; 1 for segmentation')
# The file of weights is one of timm.
weights = ''
cfg_options = dict(
    classifier=dict(
        **_base_.weak_lists, **_base_.timm_weights),
    localizer=dict(
        _delete_=True, **_base_.weak_lists, **_base_.timm_weights),
    segmentor=dict(
        _delete_=True, **_base_.pseudo_lists, **_base_.timm_weights))
steps = [
    dict(_base_.train_localizer, name='train_classifier', config='{classifier}'),
    dict(
        _base_.steps[0],
        cfg_options=dict(load_from='{train_classifier}/last_checkpoint')),
    _base_.steps[1],
    # Of the two trainings, this one knows tags.
    dict(_base_.steps[2], training='{train_classifier}'),
    *_base_.steps[3:]
]
