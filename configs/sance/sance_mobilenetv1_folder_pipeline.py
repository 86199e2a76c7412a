# Your own tagged images by SANCE on a CPU. mmwsss run my_photos --method sance --preset
# cpu calls this:
# python tools/pipeline.py configs/sance/sance_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './sance_folder_pipeline.py'
localizer = '{{ fileDirname }}/../cam/cam_mobilenetv1_folder.py'
sance = '{{ fileDirname }}/sance_mobilenetv1_folder.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_mobilenetv1_folder.py'
protocol = dict(
    scales='0.5, 1, 1.5 and flips for seeds and SANCE; 1 for segmentation')
# The file of weights is one of timm.
weights = ''
cfg_options = dict(
    localizer=dict(
        _delete_=True, **_base_.weak_lists, **_base_.timm_weights),
    sance=dict(
        _delete_=True, **_base_.weak_lists, **_base_.timm_weights),
    segmentor=dict(
        _delete_=True, **_base_.pseudo_lists, **_base_.timm_weights))
