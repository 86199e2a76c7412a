# As the published code has it: what a crop lacks of an image is background.
# PYTHONPATH=. python tools/train.py \
#     projects/mctformer/configs/deeplabv1_wide-r38_voc_official.py
_base_ = './deeplabv1_wide-r38_voc.py'

train_pipeline = [
    *_base_.r38_pipeline[:-2],
    dict(_base_.r38_pipeline[-2], seg_pad_val=0),
    _base_.r38_pipeline[-1],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
