# FSAE on MCTformer-V2 for COCO, from the eleventh epoch on; the paper has no such
# row.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-s_coco.py
_base_ = './mctformer_v2_deit-s_coco.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=12930)
train_dataloader = dict(dataset=dict(pipeline=_base_.fsae_pipeline))
