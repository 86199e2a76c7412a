# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import pytest
from tool_runner import load_tool, run_tool

from mmwsss.utils import write_json


def step(name, status='done', show=('seed/mIoU',), **metrics):
    metrics = {f'seed/{key}': value for key, value in metrics.items()}
    return dict(step=name, status=status, metrics=metrics,
                numbers={key: f'{metrics[key]:.4g}' for key in show if key in metrics})


def write(folder, *steps):
    write_json(str(folder / 'summary.json'), dict(steps=steps))
    return str(folder)


def test_runs_of_two_folders_become_mean_and_range(tmp_path, capfd):
    first = write(
        tmp_path / 'a', step('train', mIoU=1.), step('score_cam_0', mIoU=30., P=1.),
        step('score_cam_1', 'unchanged', mIoU=34.),
        step('score_cam_2', 'failed', mIoU=9.), step('seeds_cam_0'),
        step('train_cam_0', show=['seed/tag_mAP'], tag_mAP=60.))
    second = write(tmp_path / 'b', step('score_sipe_0', mIoU=20.),
                   step('score_cam_0', mIoU=30., P=2.), step('score_cam_2', mIoU=38.))
    run_tool('analysis_tools/runs_table', first, second)
    assert capfd.readouterr().out.strip().splitlines() == [
        '| | runs | mIoU |',
        '| --- | --- | --- |',
        '| score_cam | 3 | 34 (30 to 38) |',
        '| score_sipe | 1 | 20 |',
        '',
        '| | runs | tag_mAP |',
        '| --- | --- | --- |',
        '| train_cam | 1 | 60 |',
    ]


@pytest.mark.parametrize(('steps', 'named'), [
    ([], 'no finished step whose name ends in a number'),
    ([step('score_cam_0', mIoU=31.)], 'score_cam_0 has other numbers in'),
])
def test_folders_that_say_nothing_or_differ_are_refused(tmp_path, steps, named):
    tool = load_tool('analysis_tools/runs_table')
    first = write(tmp_path / 'a', *(step('score_cam_0', mIoU=30.) for _ in steps))
    with pytest.raises(ValueError, match=named):
        tool.read_runs([first, write(tmp_path / 'b', *steps)])
