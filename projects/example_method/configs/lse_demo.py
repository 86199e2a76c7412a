# PYTHONPATH=. python tools/train.py projects/example_method/configs/lse_demo.py
_base_ = '../../../configs/cam/cam_demo.py'

custom_imports = dict(
    imports=['mmwsss', 'projects.example_method.lse_head'],
    allow_failed_imports=False)
model = dict(decode_head=dict(type='LSEHead', sharpness=4.))
