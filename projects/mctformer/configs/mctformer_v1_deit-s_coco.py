# MCTformer-V1 for COCO, which its authors did not publish. As V2 otherwise.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v1_deit-s_coco.py
_base_ = './mctformer_v2_deit-s_coco.py'

model = dict(decode_head=dict(type='MCTformerV1Head'))
