# DeepLab-v3+ as mmseg trains it on VOC. Several GPUs: sync_bn=torch.
_base_ = './deeplabv3_r101.py'

model = dict(
    decode_head=dict(
        type='DepthwiseSeparableASPPHead', c1_in_channels=256, c1_channels=48))
