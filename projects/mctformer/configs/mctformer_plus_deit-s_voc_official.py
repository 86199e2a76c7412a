# As the published code has it: what is left of sides that are no multiples of 16 is
# lost, and each epoch has the rate of the one before.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_plus_deit-s_voc_official.py
_base_ = './mctformer_plus_deit-s_voc.py'

model = dict(backbone=dict(remainder='drop'))
param_scheduler = dict(delay=1)
# The authors' list of what does not decay lacks the names of positions.
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom=[dict(pattern=r'\.norm\d\.|class_token', decay_mult=0.)]))
