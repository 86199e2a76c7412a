# Table 3: no branch learns from online labels.
_base_ = '../sance_r101_voc.py'

model = dict(online=(), refined=())
