# The powers of the paper: 4, 16 and 24.
# python tools/train.py configs/psa/psa_wide-r38_voc_paper.py
_base_ = './psa_wide-r38_voc.py'

label_rule = dict(high_alpha=24)
