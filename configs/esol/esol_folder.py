# Your own images; docs/en/own_photos.md says how to lay them out.
# python tools/train.py configs/esol/esol_folder.py
# The best model from tags that we know: projects/recommended.
_base_ = [
    '../_base_/models/esol_r50.py', '../_base_/datasets/folder_weak.py',
    '../_base_/schedules/esol.py', '../_base_/default_runtime.py'
]

# As many epochs as on VOC.
epochs = dict(classify=5, expand=10, shrink=10)
custom_hooks = [
    dict(
        _base_.custom_hooks[0],
        stages=[
            dict(stage, epochs=epochs[stage['name']], min_iters=300)
            for stage in _base_.custom_hooks[0]['stages']
        ])
]
