# MCTformer+ with a small network from scratch on generated scenes.
# PYTHONPATH=. python tools/train.py projects/mctformer/configs/mctformer_plus_demo.py
_base_ = './mctformer_v2_demo.py'

model = dict(
    backbone=dict(position_offset=0.),
    decode_head=dict(type='MCTformerPlusHead', attention_layers=4))
