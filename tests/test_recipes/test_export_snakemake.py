# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from run_content import run_differences
from toy_recipe import contents, pipeline, results, run

from mmwsss.recipes import EXPORTERS, RecipeRunner, StepFailed
from mmwsss.utils import project_path

TOOL = project_path('tools', 'pipeline.py')
SMALL_DEMO = f"""
_base_ = {project_path('configs', 'cam', 'cam_demo_pipeline.py')!r}
short = {{'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2}}
data = dict(_base_.steps[0], command=[
    *_base_.steps[0]['command'][:-4], '--num-train', 8, '--num-val', 4])
steps = [data, *[
    dict(step, cfg_options=dict(step.get('cfg_options', {{}}), **short))
    if step['type'] == 'train' else step for step in _base_.steps[1:]]]
"""
pytestmark = pytest.mark.usefixtures('find_package')
needs_snakemake = pytest.mark.skipif(
    find_spec('snakemake') is None, reason='snakemake is not installed')


def exported(line, options=()):
    return EXPORTERS['snakemake'](
        line, line.recipe.steps, [sys.executable, TOOL, line.recipe.path], [*options])


def snakemake(folder, text, cores=2):
    """Run a Snakefile; its home is one of its own."""
    path = os.path.join(folder, 'Snakefile')
    with open(path, 'w') as file:
        file.write(text)
    environment = {'PATH': os.defpath, **os.environ, 'HOME': str(folder),
                   'XDG_CACHE_HOME': str(folder)}
    return subprocess.run(
        [sys.executable, '-m', 'snakemake', '--snakefile', path, '--cores',
         str(cores), '--scheduler', 'greedy'],
        capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)


@needs_snakemake
def test_snakemake_makes_the_same_files(recipe_path, tmp_path):
    with open(recipe_path) as file:
        text = file.read().replace(
            "'first'", repr('it\'s "$HOME"\n\\n `ls` * { } {0} {{x}}'))
    with open(recipe_path, 'w') as file:
        file.write(text)
    before = results(run(recipe_path, count=5))
    line = pipeline(recipe_path, "Tom's {runs}", count=5)
    script = exported(line, ['--cfg-options', 'count=5'])
    assert not os.path.exists(line.work_dir), 'to print is to write nothing'
    done = snakemake(tmp_path, script)
    assert done.returncode == 0, done.stderr
    after = pipeline(recipe_path, "Tom's {runs}", count=5)
    assert results(after) == before
    assert all(0 < after.record(step)['seconds'] < 60 for step in after.recipe.steps)
    # Snakemake and the loop keep one account: neither does again what is done.
    after.run()
    assert set(after.outcomes.values()) == {'unchanged'}
    # What Snakemake knows is lost, and something changed: only what depends on it is
    # done again, and nothing is mixed.
    shutil.rmtree(os.path.join(line.work_dir, '.done'))
    changed = snakemake(tmp_path, exported(
        pipeline(recipe_path, "Tom's {runs}", count=5, word='other'),
        ['--cfg-options', 'count=5', 'word=other']))
    assert changed.returncode == 0, changed.stderr
    assert changed.stderr.count('unchanged\n') == 1
    assert contents(pipeline(recipe_path, "Tom's {runs}")) == contents(
        run(recipe_path, count=5, word='other'))


@needs_snakemake
def test_a_whole_recipe(tmp_path, monkeypatch):
    """The demo's, of few scenes and iterations, or another one."""
    small = tmp_path / 'small.py'
    small.write_text(SMALL_DEMO)
    recipe, *options = shlex.split(os.environ.get('MMWSSS_SNAKEMAKE', str(small)))
    # One thread each: with several, sums may differ in their last digits.
    monkeypatch.setenv('OMP_NUM_THREADS', '1')

    def call(folder, *words):
        return subprocess.run(
            [sys.executable, TOOL, recipe, '--work-dir', folder, *words,
             '--cfg-options', f'data_root={folder / "scenes"}', *options],
            capture_output=True, text=True, check=True).stdout

    loop, work = tmp_path / 'loop', tmp_path / 'snakemake'
    call(loop)
    done = snakemake(tmp_path, call(work, '--export', 'snakemake'), cores=1)
    assert done.returncode == 0, done.stderr
    for folder in ('.done', '.snakemake'):
        shutil.rmtree(work / folder)
    # Only the loop sums up at the end; what the report was made from has times in it.
    apart = ('summary.', 'ledger/report.json: ')
    assert not [one for one in run_differences(str(loop), str(work))
                if not one.startswith(apart)]


@needs_snakemake
def test_a_failed_job_goes_on_with_what_it_wrote(tmp_path):
    mended = tmp_path / 'mended'
    count = 'echo 1 >> "$0/lines"; test -e "$1"'
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(f"""
steps = [dict(name='all', type='command', command=['sh', '-c', {count!r}, '{{all}}',
                                                   {str(mended)!r}], resume=True),
         dict(name='rule', type='command', command=['cp', '{{all}}/lines', '{{rule}}'])]
""")
    line = pipeline(str(recipe))
    failed = snakemake(tmp_path, exported(line))
    assert failed.returncode == 1 and not os.path.exists(line.recipe.folder('rule'))
    mended.touch()
    assert snakemake(tmp_path, exported(line)).returncode == 0
    assert contents(line)['rule', 'lines'] == b'1\n1\n'


def test_rules_wait_for_checks_and_for_data(tmp_path):
    data = tmp_path / 'data'
    (tmp_path / 'tags.csv').touch()
    (tmp_path / 'config.py').write_text("test_dataloader = dict(num_workers=3)")
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(f"""
steps = [
    dict(name='data', type='command', command=['true'], outputs=[{str(data)!r}]),
    dict(name='train', type='train', config='config.py', gpus=4),
    dict(name='check', type='check', config='config.py', labels='{{train}}'),
    dict(name='labels', type='refine', config='config.py', seeds='{{data}}',
         refiner='irn_label', inputs=[{str(tmp_path / 'tags.csv')!r},
                                      {str(data / 'x')!r}])]
""")
    data.mkdir()
    (data / 'x').touch()
    line = RecipeRunner(pipeline(str(recipe)).recipe, 'pytorch', 2)
    rules = dict(part.split(':', 1) for part in exported(line).split('\nrule ')[2:])
    assert inputs(rules['data']) == {'recipe.py'}
    assert inputs(rules['train']) == {'data', 'recipe.py', 'config.py'}
    assert inputs(rules['check']) == {'data', 'train', 'recipe.py', 'config.py'}
    assert inputs(rules['labels']) == {'data', 'check', 'recipe.py', 'config.py',
                                       'tags.csv'}
    assert 'threads: 16\n    resources: gpu=4\n' in rules['train']
    assert 'resources' not in rules['labels'] and 'threads: 8' in rules['labels']
    assert '--jobs "$threads"' in rules['labels']
    assert '--nproc_per_node=4' in rules['train'] and '--resume' in rules['train']


def inputs(rule):
    listed = rule.split('    input:\n')[1].split('    output')[0]
    return {os.path.basename(line.strip(" ',")) for line in listed.splitlines()}


def test_every_recipe_can_be_exported():
    for name in ('esol/esol_demo_pipeline.py', 'cam/cam_r50_voc_pipeline.py'):
        line = pipeline(project_path('configs', *name.split('/')), '/nowhere')
        compile(exported(line).split('START = ')[1].split('\nrule')[0], name, 'eval')


def test_what_cannot_be_exported_or_ended(recipe_path):
    line = pipeline(recipe_path)
    other = RecipeRunner(line.recipe, 'slurm', 8)
    with pytest.raises(ValueError, match='takes no --launcher slurm: Snakemake'):
        exported(other)
    step = line.recipe['seeds']
    with pytest.raises(ValueError, match='step seeds was not begun in'):
        line.end(step)
    assert line.begin(step).action == 'run'
    os.rmdir(line.recipe.folder('seeds'))
    with pytest.raises(StepFailed, match='did not write'):
        pipeline(recipe_path).end(step)


def test_command_line_refuses_a_bad_recipe(tmp_path):
    recipe = tmp_path / 'bad.py'
    recipe.write_text("steps = [dict(name='a', type='command', command='x')]")
    refused = subprocess.run(
        [sys.executable, TOOL, str(recipe), '--export', 'snakemake'],
        capture_output=True, text=True)
    assert refused.returncode == 2 and refused.stdout == ''
    assert 'step 0 (a): command must be' in refused.stderr
