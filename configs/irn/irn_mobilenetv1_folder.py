# Your own images on a CPU; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/irn/irn_mobilenetv1_folder.py
_base_ = [
    '../_base_/models/irn_mobilenetv1.py',
    '../_base_/datasets/folder_boundary_256.py', '../_base_/schedules/irn_3e.py',
    '../_base_/default_runtime.py'
]

# Images smaller than the training crops are padded to them.
walk_tta_model = dict(pad_size=256)
train_cfg = dict(epochs=3, min_iters=100, cap_iters=2000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom=[]))
custom_hooks = [
    dict(type='MeanShiftHook', crop_size=256, dataloader=_base_.mean_shift_dataloader)
]
default_hooks = dict(logger=dict(interval=10))
