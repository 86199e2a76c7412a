# Tables 1 and 2: the baseline, IRN's contour branch alone at stride 16 with the
# optimizer of SANCE. What walks is the CAM, inside contours of one scale:
# python tools/walk_seeds.py CONFIG CHECKPOINT --seeds CAM_SEEDS --out DIR
_base_ = '../sance_r101_voc.py'

# Contours of the first scale only, without flip.
contour_pipeline = [
    dict(type='LoadPILImage'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='PILRescale', scale=1.0)],
                    [dict(type='LoadMask', optional=True)],
                    [dict(type='PackWeakInputs')]])
]
model = dict(
    _delete_=True,
    type='ContourSegmentor',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_base_.model.backbone, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1)),
    decode_head=_base_.model.decode_head,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
seed_dataloader = dict(dataset=dict(pipeline=contour_pipeline))
# What contours are worth shows in the labels after the walk.
val_dataloader = None
val_evaluator = None
val_cfg = None
test_dataloader = None
test_evaluator = None
test_cfg = None
