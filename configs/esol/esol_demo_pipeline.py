# From tags to a segmentation model on generated scenes, in minutes on two CPU
# cores:
# python tools/pipeline.py configs/esol/esol_demo_pipeline.py
title = 'ESOL on generated scenes'
data_root = 'data/demo'
esol = '{{ fileDirname }}/esol_demo.py'
deeplab = '{{ fileDirname }}/../deeplab/deeplabv2_r18_demo.py'
train_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
protocol = dict(
    split='seeds and pseudo labels on train, DeepLab on val',
    labels='tags of the scenes',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for DeepLab',
    weights='none, all networks start from scratch',
    supervision='image labels; masks only measure')

steps = [
    dict(
        name='data',
        type='command',
        command=[
            'python', '{tools}/dataset_converters/make_demo_data.py', '--out',
            '{data_root}', '--seed', 0, '--num-train', 300, '--num-val', 80
        ],
        outputs=['{data_root}']),
    dict(name='train_esol', type='train', config=esol,
         show=['seed/mIoU', 'seed/tag_mAP']),
]

# The seeds of each stage, and the threshold that suits them best.
stages = ('classify', 'expand', 'shrink')
for stage in stages:
    steps += [
        dict(
            name=f'seeds_{stage}',
            type='seeds',
            config=esol,
            checkpoint=f'{{train_esol}}/stage_{stage}.pth'),
        dict(
            name=f'score_{stage}',
            type='score_seeds',
            config=esol,
            seeds=f'{{seeds_{stage}}}',
            show=['seed/mIoU', 'seed/precision', 'seed/recall', 'seed/F1',
                  'seed/threshold']),
    ]

steps += [
    dict(
        name='pseudo_labels',
        type='refine',
        config=esol,
        seeds='{seeds_shrink}',
        refiner='irn_label',
        threshold='{score_shrink:seed/threshold}',
        needs='pydensecrf',
        without=dict(refiner='none')),
    dict(
        name='score_pseudo_labels',
        type='score_masks',
        config=esol,
        masks='{pseudo_labels}',
        show=['mask/mIoU', 'mask/precision', 'mask/recall', 'mask/F1']),
    dict(
        name='train_deeplab',
        type='train',
        config=deeplab,
        cfg_options={
            'train_dataloader.dataset.data_prefix.seg_map_path':
            '{pseudo_labels}'
        },
        show=['mIoU']),
    dict(
        name='test',
        type='test',
        config=deeplab,
        checkpoint='{train_deeplab}/final.pth',
        cfg_options={'test_evaluator.output_dir': '{test}/masks'},
        show=['mIoU', 'mAcc']),
    # The same network with the same schedule on all masks: the upper bound.
    dict(name='train_full', type='train', config=deeplab, show=['mIoU']),
    dict(
        name='test_full',
        type='test',
        config=deeplab,
        checkpoint='{train_full}/final.pth',
        show=['mIoU', 'mAcc']),
    # Predictions on photos of train, to be seen beside their seeds.
    dict(
        name='predict_train',
        type='test',
        config=deeplab,
        checkpoint='{train_deeplab}/final.pth',
        cfg_options={
            'test_dataloader.dataset.ann_file': train_list,
            'test_evaluator.output_dir': '{predict_train}/masks'
        },
        show=['mIoU']),
    dict(
        name='report',
        type='report',
        config=esol,
        cfg_options={'test_dataloader.dataset.ann_file': val_list},
        headline=[
            dict(title='Seed mIoU after classify',
                 value='{score_classify:seed/mIoU}'),
            dict(title='Seed mIoU after shrink',
                 value='{score_shrink:seed/mIoU}'),
            dict(title='Pseudo label mIoU',
                 value='{score_pseudo_labels:mask/mIoU}'),
            dict(title='DeepLab mIoU on val', value='{test:mIoU}',
                 full='{test_full:mIoU}'),
        ],
        sections=[
            dict(
                title='Photos of train',
                num_images=8,
                rank_by='CRF: pseudo label',
                columns=[
                    *[
                        dict(
                            title=f'Seed, {stage}',
                            seeds=f'{{seeds_{stage}}}',
                            threshold=f'{{score_{stage}:seed/threshold}}')
                        for stage in stages
                    ],
                    dict(title='CRF: pseudo label', masks='{pseudo_labels}'),
                    dict(title='Prediction', masks='{predict_train}/masks'),
                ]),
            dict(
                title='Photos of val',
                loader='test_dataloader',
                num_images=4,
                columns=[dict(title='Prediction', masks='{test}/masks')]),
        ],
        thresholds={
            stage: f'{{score_{stage}}}/details.json'
            for stage in stages
        },
        curves=[
            dict(title='Training of ESOL', train='{train_esol}'),
            dict(title='Training of DeepLab', train='{train_deeplab}'),
            dict(title='Training of DeepLab on all masks',
                 train='{train_full}'),
        ]),
]
