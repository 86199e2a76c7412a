# FSAE on MCTformer-V2 for your own photos, after a sixth of the training.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/fsae_mctformer_v2_deit-s_folder.py
_base_ = './mctformer_v2_deit-s_folder.py'

model = dict(type='FSAE', loss_fsae=dict(type='FSAELoss'), start_iter=250)
train_dataloader = dict(dataset=dict(pipeline=_base_.fsae_pipeline))
