# As PPC refines its maps: a constant background walks.
# python tools/train.py configs/psa/psa_wide-r38_voc_ppc.py
_base_ = './psa_wide-r38_voc_seam.py'

walk = dict(bg_thr=0.27, alpha=None)
