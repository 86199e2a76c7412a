# ESOL-sal: pseudo labels of ESOL's seeds and a saliency map of each image
# (<data_root>/Saliency/<id>.png, 8 bits). The training is that of ESOL; the
# paper does not say how it joins the two. Supervision: I+S.
# python tools/refine_seeds.py configs/esol/esol_r50_voc_saliency.py --seeds DIR \
#     --out DIR --refiner config --bg-thr T
_base_ = './esol_r50_voc.py'

label_rule = dict(
    type='SaliencyLabel',
    refiner=dict(type='DenseCRF', preset='irn_label'),
    bg_thr=0.15)
seed_dataloader = dict(dataset=dict(data_prefix=dict(saliency_path='Saliency')))
val_evaluator = dict(protocol=dict(supervision='I+S'))
test_evaluator = val_evaluator
