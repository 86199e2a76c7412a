# As the published code has it: what is left of sides that are no multiples of 16 is
# lost, and each epoch has the rate of the one before.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v1_deit-s_voc_official.py
_base_ = './mctformer_v1_deit-s_voc.py'

model = dict(backbone=dict(remainder='drop'))
param_scheduler = dict(delay=1)
