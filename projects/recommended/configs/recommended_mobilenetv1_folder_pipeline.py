# Your own tagged images on a CPU. mmwsss run my_photos --method recommended --preset
# cpu calls this:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/recommended/configs/recommended_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './recommended_folder_pipeline.py'
configs = '{{ fileDirname }}/../../../configs'
classifier = f'{configs}/cam/cam_mobilenetv1_folder.py'
localizer = '{{ fileDirname }}/../../sipe/configs/fsae_sipe_mobilenetv1_folder.py'
irn = f'{configs}/irn/irn_mobilenetv1_folder.py'
segmentor = f'{configs}/self_training/self_training_deeplabv2_mobilenetv1_folder.py'
protocol = dict(
    scales='0.5, 1, 1.5 and flips for seeds; 1 and flip for boundaries and by tags; 1 '
    'for segmentation')
# The file of weights is one of timm.
weights = ''
cfg_options = dict(
    classifier=dict(
        _delete_=True, **_base_.weak_lists, **_base_.timm_weights),
    # Weights of the classifier; FSAE begins when half of the least number of
    # iterations is done.
    localizer={
        'model.backbone.pretrained': False,
        'train_cfg.epochs': 5,
        'train_cfg.min_iters': 300
    },
    irn=dict(
        _delete_=True, **_base_.boundary_lists, **_base_.timm_weights),
    segmentor=dict(
        _delete_=True, **_base_.tagged_lists, **_base_.timm_weights))
