# MCTformer-V1 whose patch tokens are made of MobileNetV1's features.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/mctformer_v1_mobilenetv1_animals.py
_base_ = './mctformer_v2_mobilenetv1_animals.py'

model = dict(decode_head=dict(type='MCTformerV1Head'))
