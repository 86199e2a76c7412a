# PPC on SEAM with a small network from scratch on generated scenes.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_seam_demo.py
_base_ = '../../../configs/seam/seam_demo.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(decode_head=dict(type='PPCHead'))
