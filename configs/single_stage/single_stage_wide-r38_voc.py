# The published model: WideResNet-38, crops of 321 pixels.
# python tools/train.py configs/single_stage/single_stage_wide-r38_voc.py
# python tools/test.py \
#     configs/single_stage/single_stage_wide-r38_voc.py CHECKPOINT --tta
_base_ = [
    '../_base_/models/single_stage_wide-r38.py',
    '../_base_/datasets/voc_single_stage.py', '../_base_/schedules/single_stage_voc.py',
    '../_base_/default_runtime.py'
]
