# As for VOC; PPC published no schedule for COCO.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_seam_wide-r38_coco.py
_base_ = '../../../configs/seam/seam_wide-r38_coco.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(second_view=(128, 128), decode_head=dict(type='PPCHead'))
