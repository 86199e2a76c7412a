# MCTformer+ on DeiT-S, images of 448 pixels.
_base_ = './mctformer_v2_deit-s.py'

model = dict(
    data_preprocessor=dict(size=(448, 448)),
    backbone=dict(img_size=448, position_offset=0., position_init='nearest'),
    decode_head=dict(type='MCTformerPlusHead', attention_layers=12))
