# From tags to the mIoU on COCO 2014 val by SANCE:
# python tools/pipeline.py configs/sance/sance_r50_coco_pipeline.py --gpus 4
# The 82,000 images get no seed files: the CAM's seeds become labels on the way,
# and SANCE's propagated scores pseudo labels, at IRN's threshold.
_base_ = '../_base_/recipes/coco.py'
title = 'SANCE with ResNet-50 on COCO 2014'
localizer = '{{ fileDirname }}/../cam/cam_r50_coco.py'
sance = '{{ fileDirname }}/sance_r50_coco.py'
segmentor = '{{ fileDirname }}/../deeplab/deeplabv2_r50_coco.py'
protocol = dict(
    threshold='0.25',
    scales='0.5, 1, 1.5, 2 and flips for seeds and SANCE; 1 for segmentation',
    weights='ImageNet; see the segmentation config')
sance_steps = [
    dict(
        _base_.localization_steps[1], name='seed_labels', refiner='irn_two_threshold',
        jobs=4),
    dict(
        name='train_sance', type='train', config='{sance}',
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path': '{seed_labels}'
        },
        show=['seed/mIoU', 'seed/threshold']),
    dict(
        name='pseudo_labels', type='seeds', config='{sance}',
        checkpoint='{train_sance}/last_checkpoint',
        refiner='none',
        bg_thr=0.25,
        jobs=2),
]
# In place of the plain pseudo labels of the CAM.
steps = [*_base_.steps[:3], *sance_steps, *_base_.steps[4:]]
