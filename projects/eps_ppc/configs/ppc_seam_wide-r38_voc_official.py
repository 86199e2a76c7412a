# As the published code has it: arbitrary pixels for the background's prototype;
# seeds by way of the input's size.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/ppc_seam_wide-r38_voc_official.py
_base_ = './ppc_seam_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        prototype_background='arbitrary', full_size_seeds=True))
tta_model = dict(size_divisor=1)
