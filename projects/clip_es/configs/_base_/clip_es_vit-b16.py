# CLIP-ES: CLIP as it is, frozen; convert.py makes its checkpoint.
# Images as CLIP expects them, which ResizeToPatches made fit; none is padded.
model = dict(
    type='CLIPES',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=1),
    backbone=dict(type='CLIPBackbone'),
    decode_head=dict(type='CLIPESHead', num_classes=21),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
tta_model = dict(type='CLIPESTTAModel')
# What convert.py asks CLIP for.
words = dict(names='voc', background='voc', templates=['a clean origami {}.'])
# Background is 1 - max; what the CRF is not sure of does not train the next model.
label_rule = dict(
    type='ConfidentLabel',
    alpha=1,
    refiner=dict(type='DenseCRF', preset='deeplab'))
# One view; the pipelines and the metric of a data set, which gives the rest.
patch_pipeline = [
    dict(type='LoadPILImage'),
    dict(type='ResizeToPatches'),
    dict(type='LoadMask', optional=True),
    dict(type='PackWeakInputs')
]
patch_tta_pipeline = [
    patch_pipeline[0],
    dict(type='TestTimeAug', transforms=[[step] for step in patch_pipeline[1:]])
]
# Images of one size go through CLIP together.
patch_batches = dict(
    batch_size=4, sampler=dict(_delete_=True, type='SameSizeSampler'))
# The same as backgrounds of (1 - max) ** 2 and 1 - max, of which the authors report
# the better one, and no other.
patch_evaluator = dict(
    thresholds=[0.381966, 0.5],
    extend=False,
    protocol=dict(weights='CLIP (OpenAI, ViT-B/16), frozen'))
# For tools/test.py; tools/train.py says that there is nothing to train.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.))
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
