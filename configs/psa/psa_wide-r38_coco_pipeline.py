# From tags to the mIoU on COCO 2014 val:
# python tools/pipeline.py configs/psa/psa_wide-r38_coco_pipeline.py --gpus 4
# Elsewhere than in data/coco: --cfg-options data_root=/data/coco
# The walk needs seed files of all images: about 4 GB.
_base_ = ['../_base_/recipes/coco.py', '../_base_/recipes/affinity.py']
title = 'PSA with WideResNet38 on COCO 2014'
localizer = '{{ fileDirname }}/cam_wide-r38_coco.py'
affinity = '{{ fileDirname }}/psa_wide-r38_coco.py'
steps = [
    _base_.steps[0],
    # All images with tags, not only those that are scored.
    _base_.localization_steps[1],
    _base_.steps[2],
    *_base_.affinity_steps[:-1],
    dict(
        _base_.affinity_steps[-1],
        cfg_options={'val_dataloader.dataset.indices': None}),
    *_base_.steps[5:]
]
