# The CAM baseline of the same training: six epochs, and the code's extra one.
# python tools/train.py configs/single_stage/cam_wide-r38_voc.py
_base_ = [
    '../_base_/models/cam_wide-r38.py', '../_base_/datasets/voc_single_stage.py',
    '../_base_/schedules/single_stage_voc.py', '../_base_/default_runtime.py'
]

# A seed is scored against its best threshold, a prediction with bg_thr.
model = dict(data_preprocessor=dict(size=(321, 321)), decode_head=dict(bg_thr=0.1))
train_cfg = dict(max_iters=4627, val_interval=4627)
custom_hooks = None
