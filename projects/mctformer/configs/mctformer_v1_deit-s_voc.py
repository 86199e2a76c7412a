# MCTformer-V1: maps of attention alone. As V2 otherwise.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v1_deit-s_voc.py
_base_ = './mctformer_v2_deit-s_voc.py'

model = dict(decode_head=dict(type='MCTformerV1Head'))
