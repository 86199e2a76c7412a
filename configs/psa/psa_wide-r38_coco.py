# As for VOC; nobody published a schedule for COCO. Eight epochs of the images
# with tags at batch 8.
# python tools/train.py configs/psa/psa_wide-r38_coco.py
_base_ = [
    '../_base_/models/psa_wide-r38.py', '../_base_/datasets/coco_affinity.py',
    '../_base_/schedules/psa_8e.py', '../_base_/default_runtime.py'
]

model = dict(decode_head=dict(num_classes=81))
train_cfg = dict(max_iters=82080)
optim_wrapper = dict(optimizer=dict(lr=0.01))
param_scheduler = dict(end=82081)
