# MCTformer+ whose patch tokens are made of MobileNetV1's features.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_plus_mobilenetv1_animals.py
_base_ = './mctformer_v2_mobilenetv1_animals.py'

model = dict(
    backbone=dict(position_offset=0.),
    decode_head=dict(type='MCTformerPlusHead', attention_layers=4))
