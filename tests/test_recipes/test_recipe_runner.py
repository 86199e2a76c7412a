# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from toy_recipe import TOY_STEPS, contents, pipeline, results, run

from mmwsss.recipes import (
    CheckFailed,
    Interrupted,
    StepFailed,
)
from mmwsss.recipes.export import export_sh
from mmwsss.recipes.process import MARKER, folder_lock, kill_leftovers
from mmwsss.utils import project_path


def outcomes(line):
    return [line.outcomes.get(step.name) for step in line.recipe.steps]


def test_second_run_does_nothing(recipe_path):
    first = run(recipe_path)
    assert outcomes(first) == ['done'] * 4
    before = results(first)
    times = {name: os.stat(os.path.join(first.recipe.folder('seeds'), name)).st_mtime_ns
             for name in os.listdir(first.recipe.folder('seeds'))}
    second = run(recipe_path)
    assert outcomes(second) == ['unchanged'] * 4
    assert results(second) == before
    for name, when in times.items():
        path = os.path.join(first.recipe.folder('seeds'), name)
        assert os.stat(path).st_mtime_ns == when


def test_change_runs_what_depends_on_it(recipe_path):
    run(recipe_path)
    changed = run(recipe_path, word='second')
    assert outcomes(changed) == ['done', 'done', 'done', 'unchanged']
    fresh = run(recipe_path, 'fresh', word='second')
    assert results(changed) == results(fresh)
    previous = os.path.join(changed.work_dir, '.previous', 'seeds')
    assert len(os.listdir(previous)) == 8


def test_same_content_stops_the_chain(recipe_path):
    run(recipe_path)
    again = run(recipe_path, names=['seeds'], force=True)
    assert outcomes(again) == ['done', None, None, None]
    assert outcomes(run(recipe_path)) == ['unchanged'] * 4


@pytest.mark.parametrize('damage', [
    os.remove,
    lambda path: open(path, 'w').close(),
    lambda path: shutil.rmtree(os.path.dirname(path)),
])
def test_damaged_output_is_made_again(recipe_path, damage):
    before = results(run(recipe_path))
    damage(os.path.join(os.path.dirname(recipe_path), 'work', 'seeds', '003.txt'))
    after = run(recipe_path)
    assert outcomes(after) == ['done', 'unchanged', 'unchanged', 'unchanged']
    assert results(after) == before


def test_moved_work_dir_is_unchanged(recipe_path):
    line = run(recipe_path)
    os.rename(line.work_dir, line.work_dir + '2')
    assert outcomes(run(recipe_path, 'work2')) == ['unchanged'] * 4


def test_outside_inputs_count(recipe_path, tmp_path):
    table = tmp_path / 'labels.json'
    table.write_text('{}')
    options = {'steps.other.inputs': [str(table)]}
    run(recipe_path, **options)
    os.utime(table, (1, 1))
    assert outcomes(run(recipe_path, **options))[3] == 'unchanged'
    table.write_text('{"a": []}')
    assert outcomes(run(recipe_path, **options))[3] == 'done'
    table.unlink()
    with pytest.raises(FileNotFoundError, match='other reads .*labels.json'):
        run(recipe_path, **options)


def test_failure_names_step_and_keeps_the_rest(recipe_path):
    wrong = {'steps.labels.command': ['python', '-c', 'print("why"); 1 / 0']}
    with pytest.raises(StepFailed, match='(?s)labels failed.*why.*ZeroDivision'):
        run(recipe_path, **wrong)
    line = pipeline(recipe_path)
    summary = json.load(open(os.path.join(line.work_dir, 'summary.json')))
    assert [step['status'] for step in summary['steps']] == [
        'done', 'done', 'failed', 'not run']
    assert outcomes(run(recipe_path)) == ['unchanged', 'unchanged', 'done', 'done']


def test_missing_output_is_a_failure(recipe_path):
    with pytest.raises(StepFailed, match='did not write .*nothing.txt'):
        run(recipe_path, **{'steps.seeds.outputs': ['{seeds}/nothing.txt']})


def test_unknown_metric(recipe_path):
    with pytest.raises(ValueError, match="score measured no 'best'; it has score"):
        run(recipe_path, **{'steps.labels.command': ['echo', '{score:best}']})


def test_values(recipe_path):
    line = pipeline(recipe_path)
    assert line.value('{seeds}/a {count}') == f'{line.work_dir}/seeds/a 8'
    with pytest.raises(ValueError, match='{seed} is no step or variable'):
        line.value('{seed}')
    with pytest.raises(ValueError, match='measured nothing yet'):
        line.value('{score:score}')
    run(recipe_path)
    assert 0 < pipeline(recipe_path).value('{score:score}') < 1


def test_missing_input_is_named(recipe_path):
    message = 'labels reads {seeds}, but step seeds has not written'
    with pytest.raises(FileNotFoundError, match=message):
        run(recipe_path, names=['labels'],
            **{'steps.labels.command': ['echo', '{seeds}']})


def test_preview_writes_nothing(recipe_path):
    line = pipeline(recipe_path)
    assert [plan.action for _, plan in line.preview()] == ['run'] * 4
    assert not os.path.exists(line.work_dir)
    run(recipe_path)
    plans = pipeline(recipe_path, word='second').preview()
    assert [plan.action for _, plan in plans] == ['run', 'check', 'check', 'skip']
    assert plans[0][1].reason == 'settings.command changed'


def test_partial_output_of_other_settings_is_not_mixed_in(recipe_path):
    line = pipeline(recipe_path, count=40)
    stop_after(line, 'seeds', 4)
    assert len(os.listdir(line.recipe.folder('seeds'))) == 4
    changed = run(recipe_path, word='second')
    assert results(changed) == results(run(recipe_path, 'fresh', word='second'))


def stop_after(line, step, count):
    """Stop the pipeline once ``step`` wrote ``count`` files, and waits."""
    child = os.fork()
    if child == 0:
        os.environ['TOY_STEPS_WAIT'] = str(count)
        try:
            line.run()
        finally:
            os._exit(0)
    folder = line.recipe.folder(step)
    while not os.path.isdir(folder) or len(os.listdir(folder)) < count:
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_unknown_files_are_not_mixed_in(recipe_path):
    line = pipeline(recipe_path)
    folder = line.recipe.folder('seeds')
    os.makedirs(folder)
    with open(os.path.join(folder, '001.txt'), 'w') as file:
        file.write('of unknown origin')
    assert results(run(recipe_path)) == results(run(recipe_path, 'fresh'))


def test_killed_at_many_points(recipe_path):
    """kill -9, again and again, at moments spread over the whole run."""
    unbroken = run(recipe_path, 'unbroken', count=30)
    broken = pipeline(recipe_path, 'broken', count=30)
    kills, finished, wait = 0, False, 0.02
    while not finished:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                broken.run()
                code = 0
            finally:
                os._exit(code)
        time.sleep(wait)
        wait += 0.015
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0
            finished = True
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            kills += 1
    assert kills >= 5
    broken = run(recipe_path, 'broken', count=30)
    assert outcomes(broken) == ['unchanged'] * 4
    assert results(broken) == results(unbroken)


@pytest.mark.parametrize('name', ['ledger/seeds.json', '.digests.json', '.lock.pid'])
@pytest.mark.parametrize('content', [b'', b'{"half', b'[[1]]', b'\xff\x00'])
def test_broken_state_is_renewed(recipe_path, name, content):
    before = results(run(recipe_path))
    path = os.path.join(os.path.dirname(recipe_path), 'work', name)
    with open(path, 'wb') as file:
        file.write(content)
    plan = pipeline(recipe_path).preview()[0][1]
    if name.startswith('ledger'):
        assert plan.action == 'run' and 'seeds.json is damaged' in plan.reason
    else:
        assert plan.action == 'skip'
    after = run(recipe_path)
    assert results(after) == before
    assert outcomes(after)[1:] == ['unchanged'] * 3


def test_metrics_that_are_none(recipe_path):
    command = ['sh', '-c', 'echo 7 > "$0"/metrics.json', '{score}']
    with pytest.raises(ValueError, match='score/metrics.json holds no metrics'):
        run(recipe_path, **{'steps.score.command': command})


def test_work_folder_of_an_older_version(recipe_path):
    """Nothing in it has a ledger: it is made again, and what was there kept."""
    line = pipeline(recipe_path)
    os.makedirs(line.recipe.folder('seeds'))
    for name in ('pipeline_state.json', 'seeds/old.txt'):
        with open(os.path.join(line.work_dir, name), 'w') as file:
            file.write('{"version": 1, "steps": {"seeds": 3}}')
    assert line.older_state
    line = run(recipe_path)
    assert outcomes(line) == ['done'] * 4 and not line.older_state
    assert results(line) == results(run(recipe_path, 'fresh'))
    previous = os.path.join(line.work_dir, '.previous')
    assert os.path.isfile(os.path.join(previous, 'seeds', 'old.txt'))
    assert os.path.isfile(os.path.join(previous, 'pipeline_state.json'))


def test_exported_script_makes_the_same_files(recipe_path, tmp_path, monkeypatch):
    root = os.path.dirname(os.path.dirname(TOY_STEPS))
    monkeypatch.setenv('PYTHONPATH', os.path.dirname(root))
    with open(recipe_path) as file:
        text = file.read().replace("'first'", repr('it\'s "$HOME"\n\\n `ls` *'))
    with open(recipe_path, 'w') as file:
        file.write(text)
    options = dict(count=5)
    before = results(run(recipe_path, **options))
    line = pipeline(recipe_path, 'by_script', **options)
    tool = [sys.executable, project_path('tools', 'pipeline.py'), recipe_path]
    script = export_sh(line, line.recipe.steps, tool, ['--cfg-options', 'count=5'])
    assert not os.path.exists(line.work_dir), 'to print is to write nothing'
    subprocess.run(['sh', '-c', script], check=True)
    after = pipeline(recipe_path, 'by_script')
    assert contents(after) == before[0]
    assert before[1]['score'] == {'score': after.value('{score:score}')}
    # The script goes on, and stays away from what a pipeline made.
    subprocess.run(['sh', '-c', script], check=True)
    script = script.replace('by_script', 'work')
    refused = subprocess.run(['sh', '-c', script], capture_output=True, text=True)
    assert refused.returncode == 2
    assert 'holds step seeds of a recipe; choose another' in refused.stderr
    # A pipeline keeps what the script made, and does not mix it with its own.
    assert results(run(recipe_path, 'by_script', **options)) == before
    assert os.path.isdir(os.path.join(line.work_dir, '.previous', 'seeds'))


def test_exported_script_ends_at_the_first_failure(recipe_path, tmp_path):
    line = pipeline(recipe_path)
    tool = [sys.executable, '-c', 'import sys; sys.exit("--value" in sys.argv)']
    script = export_sh(line, line.recipe.steps, tool, [])
    done = subprocess.run(['sh', '-c', script], capture_output=True)
    assert done.returncode == 1
    assert sorted(os.listdir(line.work_dir)) == ['score', 'seeds']


def test_signal_ends_children(recipe_path):
    endless = 'sleep 1000 & kill -TERM $PPID; sleep 1000'
    line = pipeline(recipe_path, **{'steps.seeds.command': ['sh', '-c', endless]})
    with pytest.raises(Interrupted) as stopped:
        line.run()
    assert stopped.value.signum == signal.SIGTERM
    assert line.record(line.recipe['seeds'])['status'] == 'interrupted'
    assert kill_leftovers(line.work_dir) == 0


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_leftovers_of_a_killed_pipeline_are_ended(tmp_path):
    folder = str(tmp_path)

    def start(marker):
        process = subprocess.Popen(
            ['sh', '-c', 'echo; read line'], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, MARKER: marker})
        # Only a program that is under way has an environment in /proc.
        process.stdout.readline()
        return process

    orphan, other = start(folder), start(folder + '2')
    try:
        assert kill_leftovers(folder) == 1
        assert orphan.wait(10) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_one_pipeline_a_folder(recipe_path):
    line = pipeline(recipe_path)
    with folder_lock(line.work_dir):
        with pytest.raises(BlockingIOError, match=f'process {os.getpid()}'):
            line.run()
    assert outcomes(run(recipe_path)) == ['done'] * 4


def test_a_check_that_fails_stops_the_run(tmp_path, capsys):
    path = tmp_path / 'recipe.py'
    code = 'print("WARNING: much worse"); print("the reason"); raise SystemExit(3)'
    path.write_text(f"""
steps = [dict(name='one', type='command', command=['python', '-c', {code!r}]),
         dict(name='two', type='command', command=['python', '-c', ''])]
""")
    with pytest.raises(CheckFailed, match='(?s)the reason.*Stopped by the check one'):
        run(str(path))
    assert '  WARNING: much worse' in capsys.readouterr().out
    assert not (tmp_path / 'work' / 'two').exists()
