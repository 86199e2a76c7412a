# Your own tagged images by self-training on a CPU. mmwsss run my_photos
# --method self_training --preset cpu calls this:
# python tools/pipeline.py \
#     configs/self_training/self_training_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './self_training_folder_pipeline.py'
localizer = '{{ fileDirname }}/localizer_mobilenetv1_folder.py'
segmentor = '{{ fileDirname }}/self_training_deeplabv2_mobilenetv1_folder.py'
protocol = dict(
    scales='0.5, 1, 1.5 and flips for the classifier; 1 and flip for the rounds; 1 for '
    'segmentation')
# The file of weights is one of timm.
weights = ''
cfg_options = dict(
    localizer=dict(
        _delete_=True, **_base_.weak_lists, **_base_.timm_weights),
    segmentor=dict(
        _delete_=True, **_base_.tagged_lists, **_base_.timm_weights))
