# PPC on SEAM with MobileNetV1 at stride 16, small enough for a CPU.
# PYTHONPATH=. python tools/train.py \
#     projects/eps_ppc/configs/ppc_seam_mobilenetv1_animals.py
_base_ = '../../../configs/seam/seam_mobilenetv1_animals.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(second_view=(128, 128), decode_head=dict(type='PPCHead'))
