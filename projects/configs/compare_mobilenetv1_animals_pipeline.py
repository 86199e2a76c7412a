# The projects beside CAM and SEAM on six animals of PASCAL VOC, on a CPU. Each row goes
# on from the backbone of one CAM network, equally long, with a new head, and with three
# seeds; FSAE's rows are their base's, with FSAE in the second half. Seeds become labels
# by dense CRF, and those a DeepLab.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/configs/compare_mobilenetv1_animals_pipeline.py
title = 'EPS, PPC and SIPE on six animals of PASCAL VOC 2012'
data_root = 'data/voc_animals'
train_list = 'ImageSets/Segmentation/train_400.txt'
seed_list = 'ImageSets/Segmentation/train_200.txt'
val_list = 'ImageSets/Segmentation/val.txt'
protocol = dict(
    split='training on 400 photos of train, seeds and labels on every second of '
    'them, segmentation on val',
    labels='tags of the subset, from the masks of PASCAL VOC 2012',
    threshold='best mIoU on train; none where seeds have a background of their own',
    scales='1 and flip for seeds; 1 for segmentation',
    weights='ImageNet',
    supervision='I; EPS and PPC on EPS: I+S, a stand-in for saliency')
projects = '{{ fileDirname }}/..'
configs = '{{ fileDirname }}/../../configs'
cam = f'{configs}/cam/cam_mobilenetv1_animals.py'
segmentor = f'{configs}/deeplab/deeplabv2_mobilenetv1_animals.py'
localizers = dict(
    cam=cam,
    seam=f'{configs}/seam/seam_mobilenetv1_animals.py',
    eps=f'{projects}/eps_ppc/configs/eps_mobilenetv1_animals.py',
    ppc_seam=f'{projects}/eps_ppc/configs/ppc_seam_mobilenetv1_animals.py',
    ppc_eps=f'{projects}/eps_ppc/configs/ppc_eps_mobilenetv1_animals.py',
    fsae_ppc_eps=f'{projects}/eps_ppc/configs/fsae_ppc_eps_mobilenetv1_animals.py',
    sipe=f'{projects}/sipe/configs/sipe_mobilenetv1_animals.py',
    fsae_sipe=f'{projects}/sipe/configs/fsae_sipe_mobilenetv1_animals.py')
runs = [(row, seed) for seed in range(3) for row in localizers]

iterations = 200
# FSAE's pseudo labels are of a head that knows the classes: in the second half.
fsae_options = {'model.start_iter': iterations // 2}

# One scale and its mirror image, images of the list, tags measured on val.
localizer_options = {
    'train_dataloader.batch_size': 8,
    'train_dataloader.dataset.ann_file': '{train_list}',
    'seed_dataloader.dataset.ann_file': '{seed_list}',
    'seed_dataloader.dataset.pipeline': [
        dict(type='LoadPILImage'),
        dict(
            type='TestTimeAug',
            transforms=[
                [
                    dict(type='RandomFlip', prob=0., direction='horizontal'),
                    dict(type='RandomFlip', prob=1., direction='horizontal')
                ], [dict(type='LoadMask', optional=True)],
                [dict(type='PackWeakInputs')]
            ])
    ],
    'val_dataloader.dataset.ann_file': '{seed_list}',
    'test_dataloader.dataset.ann_file': '{seed_list}',
}
training_options = {
    'val_dataloader.dataset.ann_file': '{val_list}',
    'train_cfg.max_iters': iterations,
    'train_cfg.val_interval': iterations,
    'param_scheduler.end': iterations + 1,
}
segmentor_options = {
    'train_dataloader.dataset.ann_file': '{seed_list}',
    'train_cfg.max_iters': 100,
    'train_cfg.val_interval': 100,
    'param_scheduler.end': 101,
}
steps = [
    dict(
        name='saliency', type='command',
        command=[
            'python', f'{projects}/eps_ppc/make_saliency.py',
            '{data_root}/JPEGImages', '{saliency}'
        ],
        inputs=['{data_root}/JPEGImages']),
    dict(
        name='start', type='train', config=cam,
        cfg_options={
            **localizer_options, **training_options,
            'train_dataloader.batch_size': 16,
            'train_cfg.max_iters': 250,
            'train_cfg.val_interval': 250,
            'param_scheduler.end': 251,
        },
        show=['seed/tag_mAP']),
    *[step for row, seed in runs for step in (
        dict(
            name=f'train_{row}_{seed}', type='train', config=localizers[row],
            cfg_options={
                **localizer_options, **training_options,
                **({'train_dataloader.dataset.data_prefix.saliency_path':
                    '{saliency}'} if 'eps' in row else {}),
                **(fsae_options if 'fsae' in row else {}),
                'model.backbone.pretrained': False,
                'model.backbone.init_cfg.type': 'Pretrained',
                'model.backbone.init_cfg.prefix': 'backbone.',
                'model.backbone.init_cfg.checkpoint': '{start}/last_checkpoint',
                'randomness.seed': seed,
            },
            show=['seed/tag_mAP']),
        dict(
            name=f'seeds_{row}_{seed}', type='seeds', config=localizers[row],
            cfg_options=localizer_options,
            checkpoint=f'{{train_{row}_{seed}}}/last_checkpoint'),
        dict(
            name=f'score_seeds_{row}_{seed}', type='score_seeds',
            config=localizers[row],
            cfg_options=localizer_options,
            seeds=f'{{seeds_{row}_{seed}}}',
            show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/FPR',
                  'seed/FNR', 'seed/threshold']),
        dict(
            name=f'labels_{row}_{seed}', type='refine', config=localizers[row],
            seeds=f'{{seeds_{row}_{seed}}}',
            **(dict(
                refiner='config',
                cfg_options={**localizer_options, 'label_rule.background_factor': 1.})
               if 'sipe' in row else dict(
                refiner='irn_label',
                cfg_options=localizer_options,
                bg_thr=f'{{score_seeds_{row}_{seed}:seed/threshold}}'))),
        dict(
            name=f'score_labels_{row}_{seed}', type='score_masks',
            config=localizers[row],
            cfg_options=localizer_options,
            masks=f'{{labels_{row}_{seed}}}',
            show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/FPR',
                  'mask/FNR']))],
    # The upper bound: the same schedule on masks.
    *[dict(
        name=f'train_segmentor_{labels}_{seed}', type='train', config=segmentor,
        cfg_options={
            **segmentor_options,
            'train_dataloader.dataset.data_prefix.seg_map_path':
            'SegmentationClass' if labels == 'masks' else f'{{labels_{labels}_{seed}}}',
            'randomness.seed': seed,
        },
        show=['mIoU']) for seed in range(3) for labels in (*localizers, 'masks')],
]
