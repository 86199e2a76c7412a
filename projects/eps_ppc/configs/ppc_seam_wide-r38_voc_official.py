# As the published code has it: prototypes of arbitrary pixels;
# seeds by way of the input's size.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/ppc_seam_wide-r38_voc_official.py
_base_ = './ppc_seam_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        arbitrary_prototypes=True, full_size_seeds=True))
