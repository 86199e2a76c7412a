# Generated scenes in a recipe, which begins by making them.
data_root = 'data/demo'
segmentor = '{{ fileDirname }}/../../deeplab/deeplabv2_demo.py'
# Ids of images that have masks to measure by.
score_list = 'ImageSets/Segmentation/train.txt'
val_list = 'ImageSets/Segmentation/val.txt'
masks = 'SegmentationClass'
protocol = dict(
    split='seeds and pseudo labels on train, segmentation on val',
    labels='tags of the generated scenes',
    threshold='best mIoU on train',
    scales='0.5, 1, 1.5, 2 and flips for seeds; 1 for segmentation',
    weights='none, all networks start from scratch',
    supervision='image labels; masks only measure')
data_step = dict(
    name='data', type='command',
    command=[
        'python', '{tools}/dataset_converters/make_demo_data.py', '--out',
        '{data_root}', '--num-train', 200, '--num-val', 60
    ],
    outputs=['{data_root}'])
