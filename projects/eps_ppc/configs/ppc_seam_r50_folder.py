# PPC on SEAM with ResNet-50 for your own images, for which tags suffice;
# docs/en/own_photos.md says how to lay them out.
# PYTHONPATH=. python tools/train.py projects/eps_ppc/configs/ppc_seam_r50_folder.py
_base_ = '../../../configs/cam/cam_folder.py'

custom_imports = dict(imports=['mmwsss', 'projects.eps_ppc'])
model = dict(
    second_view=(128, 128),
    decode_head=dict(
        type='PPCHead',
        in_channels=[512, 1024, 2048],
        in_index=(1, 2, 3),
        bg_thr=0.26))
tta_model = dict(min_max=True, bg_thr=0.26, size_divisor=1)
optim_wrapper = dict(optimizer=dict(lr=0.01))
