# As the published code has it: the first class never suppressed in the cross
# regularisation, prototypes of arbitrary pixels, a decay that
# ends 170 iterations early.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/ppc_eps_wide-r38_voc_official.py
_base_ = './ppc_eps_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        arbitrary_prototypes=True, first_class_as_background=True))
param_scheduler = dict(type='HeldPolyLR', steps=19830)
