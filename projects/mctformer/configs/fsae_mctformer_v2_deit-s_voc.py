# FSAE on MCTformer-V2, from the eleventh epoch on.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-s_voc.py
_base_ = './mctformer_v2_deit-s_voc.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=1650)
train_dataloader = dict(dataset=dict(pipeline=_base_.fsae_pipeline))
