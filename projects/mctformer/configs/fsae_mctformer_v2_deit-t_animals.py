# FSAE on MCTformer-V2 with DeiT-Tiny, from the third epoch on.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-t_animals.py
_base_ = './mctformer_v2_deit-t_animals.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=100)
train_dataloader = dict(dataset=dict(pipeline=_base_.fsae_pipeline))
