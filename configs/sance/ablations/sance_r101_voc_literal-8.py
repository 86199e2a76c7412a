# The walk of 8 steps, as the paper writes, not the 2^8 of IRN's code.
_base_ = '../sance_r101_voc.py'

model = dict(
    online_walk=dict(radius=3, beta=10, steps=8),
    label_walk=dict(radius=5, beta=10, steps=8))
