# FSAE's threshold, the width of its ring (its paper's Tables 7 and 9) and its
# background, on one system of projects/, on six animals of PASCAL VOC, on a CPU. Each
# value trains as the row of `system` in compare_mobilenetv1_animals_pipeline.py.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/configs/sweep_fsae_mobilenetv1_animals_pipeline.py
_base_ = './compare_mobilenetv1_animals_pipeline.py'
title = "FSAE's threshold and ring on six animals of PASCAL VOC 2012"
system = 'fsae_sipe'
# 0.95 and 3, with a constant background, are the row of the comparison. A kernel of one
# leaves the ring away; the last two are what gained most on frozen features.
sure = dict(background='one_minus_max', temperature=0.1)
values = dict(
    threshold_08=dict(threshold=0.8),
    threshold_09=dict(threshold=0.9),
    threshold_099=dict(threshold=0.99),
    kernel_size_1=dict(kernel_size=1),
    kernel_size_5=dict(kernel_size=5),
    kernel_size_7=dict(kernel_size=7),
    one_minus_max=sure,
    one_minus_max_sum=dict(sure, reduction='sum'))
runs = [(value, seed) for seed in range(3) for value in values]
of_row = {step['name']: step for step in _base_.steps}
steps = [
    of_row['saliency'], of_row['start'],
    *[step for value, seed in runs for step in (
        dict(
            of_row[f'train_{system}_{seed}'],
            name=f'train_{value}_{seed}',
            cfg_options={
                **of_row[f'train_{system}_{seed}']['cfg_options'],
                **{f'model.loss_fsae.{key}': one for key, one in values[value].items()},
            }),
        dict(
            of_row[f'seeds_{system}_{seed}'], name=f'seeds_{value}_{seed}',
            checkpoint=f'{{train_{value}_{seed}}}/last_checkpoint'),
        dict(
            of_row[f'score_seeds_{system}_{seed}'], name=f'score_seeds_{value}_{seed}',
            seeds=f'{{seeds_{value}_{seed}}}'))],
]
