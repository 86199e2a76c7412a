# The same with a small segmentation model, for a CPU; mmwsss run my_photos --method
# clip --preset cpu calls this:
# PYTHONPATH=. python tools/pipeline.py \
#     projects/clip_es/configs/clip_es_mobilenetv1_folder_pipeline.py \
#     --cfg-options data_root=my_photos
_base_ = './clip_es_folder_pipeline.py'
segmentor = '{{ fileDirname }}/../../../configs/deeplab/' \
    'deeplabv2_mobilenetv1_folder.py'
# A file of timm, which it downloads otherwise.
segmentor_weights = ''
# On a CPU images in batches are no faster, see the README, and take more memory.
cfg_options = dict(
    localizer={'seed_dataloader.batch_size': 1},
    segmentor={
        '_delete_': True,
        **_base_.pseudo_lists,
        'model.backbone.pretrained_cfg_overlay.file': '{segmentor_weights}'
    })
