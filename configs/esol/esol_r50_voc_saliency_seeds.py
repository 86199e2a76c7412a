# Appendix, Table 4: seeds with saliency. What is not salient is background; the paper
# does not say how it joins the two. Supervision: I+S.
# python tools/refine_seeds.py configs/esol/esol_r50_voc_saliency_seeds.py --seeds DIR \
#     --out MASKS --refiner config --bg-thr T
# python tools/evaluate_seeds.py configs/esol/esol_r50_voc_saliency_seeds.py \
#     --masks MASKS
_base_ = './esol_r50_voc_saliency.py'

label_rule = dict(refiner=None, claimed=0, unclaimed=0)
