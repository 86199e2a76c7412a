# PAMR with dilations 1, 2, 4, 8, mixing rate 0.5 as in that table.
# python tools/train.py configs/single_stage/ablations/\
#     single_stage_wide-r38_voc_pamr-1-2-4-8.py
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(
    decode_head=dict(
        gate=dict(rate=0.5), refiner=dict(type='PAMR', dilations=(1, 2, 4, 8))))
