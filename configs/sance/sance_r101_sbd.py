# Contours of a trained SANCE, or SANCE-naive at stride 8, on SBD val, Table 2:
# maximal F (ODS) of the raw boundary map of one view. For stride 16 see
# ablations/. tools/dataset_converters/sbd.py makes the data.
# python tools/test.py configs/sance/sance_r101_sbd.py CHECKPOINT
# The exact matching takes seconds an image and threshold; an approximation:
#     --cfg-options test_evaluator.matching=distance
_base_ = './sance_r101_voc.py'

model = dict(test_cfg=dict(walk=False))
test_dataloader = dict(
    dataset=dict(
        data_root='data/sbd',
        data_prefix=dict(img_path='dataset/img', seg_map_path='boundaries'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_file=''))
test_evaluator = dict(_delete_=True, type='BoundaryMetric')
