# PAMR with dilations 1, 2, 4, 8, 12, 16, mixing rate 0.5 as in that table.
_base_ = './single_stage_wide-r38_voc_gate-0.5.py'

model = dict(
    decode_head=dict(refiner=dict(type='PAMR', dilations=(1, 2, 4, 8, 12, 16))))
