# Tables 1 and 2, SANCE-naive at stride 8; Table 3, both branches; Table 4, no
# refinement: online labels are not refined.
_base_ = '../sance_r101_voc.py'

model = dict(refined=())
