# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""A recipe as a Snakefile: its steps are rules, which Snakemake's executors run."""

import os
import os.path as osp
import shlex

from mmwsss.utils import all_strings, change_config, load_config
from mmwsss.utils.nested import iter_dicts

from .config_data import data_paths
from .export import is_open, shell_lines
from .job import Job
from .recipe import Step
from .recipe_runner import RecipeRunner

_FLAGS = '.done'
# Refining takes all cores that it is given, and gains little beyond.
_REFINE_JOBS = 8


def export_snakemake(runner: RecipeRunner, steps: list[Step], tool: list[str],
                     options: list[str]) -> str:
    """A Snakefile that runs a recipe, steps side by side where they can be.

    Snakemake removes the declared outputs of a rule before its job and after a job
    that failed, while our tools go on with the whole files that they find. So a
    rule declares one empty file in ``.done``, and what the step writes stays out of
    Snakemake's hands. Whether a job has anything to do, goes on or starts anew is
    decided as in a run of the recipe, by the same ledger (``--begin``, ``--end``):
    by content, where Snakemake goes by dates.

    Args:
        runner (RecipeRunner): What runs the recipe.
        steps (list[Step]): The steps to export.
        tool (list[str]): The command that reads the recipe: ``tools/pipeline.py``
            with the recipe.
        options (list[str]): Further arguments of it, which come last.

    Raises:
        ValueError: If processes are to be started by Slurm or MPI themselves.
    """
    if runner.launcher not in ('none', 'pytorch'):
        raise ValueError(
            f'--export snakemake takes no --launcher {runner.launcher}: Snakemake '
            'asks the cluster for machines; give --gpus alone, for torchrun on each')
    recipe = runner.recipe
    words = [*tool, '--work-dir', recipe.work_dir, '--gpus', str(runner.gpus),
             '--launcher', runner.launcher]
    if runner.ignore_checks:
        words.append('--ignore-checks')
    call = [*map(shlex.quote, words), '"$@"', *map(shlex.quote, options)]
    start = (f'cd {shlex.quote(os.getcwd())}\n'
             f'recipe() {{ {" ".join(call)}; }}')
    names = {step.name for step in steps}
    lines = [
        f'# {" ".join(recipe.title.split())}: the commands of {recipe.path!r}.',
        '# A rule makes an empty file in .done; Snakemake thus never removes what a',
        '# step has written, and a step goes on with it. All machines must see the',
        '# same files.',
        f'workdir: {recipe.work_dir!r}',
        '',
        '# `recipe` opens and closes the account of a step, or says what a reference',
        '# stands for.',
        f'START = {start!r}',
        '',
        f'rule {"all_steps" if "all" in names else "all"}:',
        '    input:',
        *(f'        {_flag(step.name)!r},' for step in steps),
    ]
    for step in steps:
        job = runner.job(step)
        after = [name for name in _waits_for(runner, step) if name in names]
        config = _known_config(job)
        inputs = [*map(_flag, after), *_read_paths(runner, job, config)]
        plain = shell_lines(runner, step, resume=True)
        if step.type == 'refine' and 'jobs' not in step.spec:
            plain[-1] += ' --jobs "$threads"'
        commands = [
            f'state=$(recipe --begin {step.name})',
            '[ "$state" = skip ] && exit 0',
            *plain,
            f'recipe --end {step.name}',
        ]
        lines += ['', f'rule {step.name}:  # {step.type}']
        if inputs:
            lines += ['    input:', *(f'        {path!r},' for path in inputs)]
        lines += [f'    output: touch({_flag(step.name)!r})',
                  f'    threads: {_threads(job, config)}']
        if step.kind.distributed:
            lines.append(f'    resources: gpu={job.processes}')
        lines += ['    shell:', "        '{START}\\nthreads={threads}\\n'",
                  *(f'        {_literal(line)}' for line in commands)]
    return '\n'.join(lines) + '\n'


def _flag(name: str) -> str:
    return f'{_FLAGS}/{name}'


def _literal(line: str) -> str:
    """A line of a shell directive, in which Snakemake reads braces."""
    return repr(line.replace('{', '{{').replace('}', '}}') + '\n')


def _waits_for(runner: RecipeRunner, step: Step) -> list[str]:
    """The earlier steps that a step must come after.

    Beside those that it names: checks, which end a run, and steps that write
    elsewhere, such as the data of a demo.
    """
    named = runner.recipe.depends_on(step)
    return [other.name for other in runner.recipe.earlier(step)
            if other.name in named or other.type == 'check'
            or other.spec.get('outputs')]


def _known_config(job: Job) -> dict:
    """The config of a step, without what only a run can tell; {} for none."""
    path = job.recipe.config_path(job.step)
    if path is None:
        return {}
    cfg = load_config(path, import_custom_modules=False)
    change_config(cfg, job.resolve({
        key: value for key, value in job.options.items()
        if not any(is_open(job.recipe, text) for text in all_strings(value))}))
    return cfg._cfg_dict


def _read_paths(runner: RecipeRunner, job: Job, config: dict) -> list[str]:
    """Files and folders that a step reads and that no step writes."""
    recipe, spec = runner.recipe, job.step.spec
    made = [recipe.work_dir]
    for other in recipe.steps:
        outputs = [text for text in other.spec.get('outputs') or []
                   if not is_open(recipe, text)]
        made += map(osp.abspath, job.resolve(outputs))
    paths = [recipe.path, recipe.config_path(job.step) or recipe.path]
    paths += data_paths(config)
    for key in (*job.kind.reads, 'inputs'):
        paths += [text for text in all_strings(spec.get(key)) if '{' not in text]
    paths = list(dict.fromkeys(map(osp.abspath, paths)))
    # Snakemake takes braces for wildcards.
    return [path for path in paths if osp.exists(path) and not set(path) & set('{}')
            and not any(osp.join(path, '').startswith(osp.join(folder, ''))
                        for folder in made)]


def _threads(job: Job, config: dict) -> int:
    """Cores that a step makes use of."""
    workers = max((loader['num_workers'] for loader in iter_dicts(config)
                   if isinstance(loader.get('num_workers'), int)), default=0)
    jobs = job.step.spec.get('jobs')
    if not isinstance(jobs, int):
        jobs = _REFINE_JOBS if job.step.type == 'refine' else 0
    if job.kind.distributed:
        return job.processes * (1 + max(workers, jobs))
    return max(1, jobs)
