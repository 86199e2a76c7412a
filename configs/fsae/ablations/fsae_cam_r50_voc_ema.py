# A moving average of the model labels the weak view, as the paper does on COCO.
# python tools/train.py configs/fsae/ablations/fsae_cam_r50_voc_ema.py
_base_ = '../fsae_cam_r50_voc.py'

custom_hooks = [dict(type='EMAPseudoLabelHook', momentum=0.001)]
