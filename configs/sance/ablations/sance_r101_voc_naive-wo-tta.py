# Table 1: SANCE-naive at stride 8 whose pseudo labels are made from one view: of its
# segmentation by generate_seeds.py, of the CAM by walk_seeds.py.
_base_ = './sance_r101_voc_wo-tta.py'

model = dict(refined=())
