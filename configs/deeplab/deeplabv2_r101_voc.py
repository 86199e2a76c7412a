# python tools/train.py configs/deeplab/deeplabv2_r101_voc.py
# Fully supervised, the upper row of every table: ... --cfg-options
# train_dataloader.dataset.data_prefix.seg_map_path=SegmentationClassAug
_base_ = [
    '../_base_/models/deeplabv2_r101.py', '../_base_/datasets/voc_pseudo.py',
    '../_base_/schedules/deeplabv2_20k.py', '../_base_/default_runtime.py'
]
