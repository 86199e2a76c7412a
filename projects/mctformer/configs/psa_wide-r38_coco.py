# AffinityNet for COCO with MCTformer's labels and walk. Nobody published a schedule.
# PYTHONPATH=. python tools/train.py projects/mctformer/configs/psa_wide-r38_coco.py
_base_ = '../../../configs/psa/psa_wide-r38_coco.py'

label_rule = dict(low_alpha=1, high_alpha=12)
walk = dict(refiner=dict(steps=64), bg_thr=0.39, alpha=None)
