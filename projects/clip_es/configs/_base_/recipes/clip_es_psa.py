# CLIP-ES's seeds, a walk guided by PSA's affinities, and a segmentation model.
# The recipe gives: localizer and affinity (configs), and a data set, such as voc.py.
_base_ = ['./clip_es_seeds.py', '../../../../../configs/_base_/recipes/affinity.py']
steps = [
    *_base_.seed_steps,
    *_base_.affinity_steps,
    *_base_.segmentation_steps,
    _base_.seed_report_step,
]
