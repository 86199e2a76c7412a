# MCTformer-V1 with a small network from scratch on generated scenes.
# PYTHONPATH=. python tools/train.py projects/mctformer/configs/mctformer_v1_demo.py
_base_ = './mctformer_v2_demo.py'

model = dict(decode_head=dict(type='MCTformerV1Head'))
