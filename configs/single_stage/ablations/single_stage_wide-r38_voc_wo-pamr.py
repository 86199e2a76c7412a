# Masks become labels as they are; mixing rate 0.5 as in that table.
_base_ = '../single_stage_wide-r38_voc.py'

model = dict(decode_head=dict(gate=dict(rate=0.5), refiner=None))
