# FSAE's threshold and the width of its ring (its paper's Tables 7 and 9) on one system
# of projects/, on six animals of PASCAL VOC, on a CPU. Each value trains as the row of
# `system` does in compare_mobilenetv1_animals_pipeline.py.
# PYTHONPATH=. python tools/pipeline.py \
#     projects/configs/sweep_fsae_mobilenetv1_animals_pipeline.py
_base_ = './compare_mobilenetv1_animals_pipeline.py'
title = "FSAE's threshold and ring on six animals of PASCAL VOC 2012"
system = 'fsae_sipe'
# A kernel of one leaves the ring away. 0.95 and 3 are the row of the comparison.
values = [('threshold', 0.8), ('threshold', 0.9), ('threshold', 0.99),
          ('kernel_size', 1), ('kernel_size', 5), ('kernel_size', 7)]
runs = [(f'{key}_{str(value).replace(".", "")}_{seed}', key, value, seed)
        for seed in range(3) for key, value in values]
of_row = {step['name']: step for step in _base_.steps}
steps = [
    of_row['saliency'], of_row['start'],
    *[step for run, key, value, seed in runs for step in (
        dict(
            of_row[f'train_{system}_0'],
            name=f'train_{run}',
            cfg_options={
                **of_row[f'train_{system}_0']['cfg_options'],
                f'model.loss_fsae.{key}': value,
                'randomness.seed': seed,
            }),
        dict(
            of_row[f'seeds_{system}_0'], name=f'seeds_{run}',
            checkpoint=f'{{train_{run}}}/last_checkpoint'),
        dict(of_row[f'score_seeds_{system}_0'], name=f'score_seeds_{run}',
             seeds=f'{{seeds_{run}}}'))],
]
