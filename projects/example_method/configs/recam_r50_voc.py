# PYTHONPATH=. python tools/train.py projects/example_method/configs/recam_r50_voc.py
_base_ = '../../../configs/cam/cam_r50_voc.py'

custom_imports = dict(
    imports=['mmwsss', 'projects.example_method.recam_head'],
    allow_failed_imports=False)
model = dict(decode_head=dict(type='ReCAMHead', recam_weight=1.))
