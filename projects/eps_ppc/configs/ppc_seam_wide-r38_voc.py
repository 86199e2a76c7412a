# PPC on SEAM with WideResNet38: eight epochs of VOC train_aug at batch 8.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_seam_wide-r38_voc.py
_base_ = '../../../configs/seam/seam_wide-r38_voc.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(second_view=(128, 128), decode_head=dict(type='PPCHead'))
