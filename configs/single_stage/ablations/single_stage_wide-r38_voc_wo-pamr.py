# Masks become labels as they are; mixing rate 0.5 as in that table.
_base_ = './single_stage_wide-r38_voc_gate-0.5.py'

model = dict(decode_head=dict(refiner=None))
