# A moving average of the model labels the weak view, as the paper does on COCO.
_base_ = '../fsae_cam_r50_voc.py'

custom_hooks = [dict(type='EMAPseudoLabelHook', momentum=0.001)]
