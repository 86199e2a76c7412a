# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""kill -9, at writes and at random moments; then the same files, to the last bit.

    python -m pytest tests/test_faults/test_kills.py                       # 5 kills
    MMWSSS_KILLS=100 python -m pytest -s tests/test_faults/test_kills.py   # 100

``MMWSSS_KILLS`` is their number, ``MMWSSS_KILLS_SEED`` which are chosen. They befall
the whole tree of processes, only its first, or only another one, in turn. A run is
killed, started again, killed again, some times over, and then ends; what it wrote is
compared with an unbroken run's. What need not be the same is in ``run_content.py``.
"""

import os

import pytest
from fault_runs import Fault, SmallRun, choose_kills, kind_of

KILLS = int(os.environ.get('MMWSSS_KILLS', '5'))
SEED = int(os.environ.get('MMWSSS_KILLS_SEED', '0'))
IN_A_ROW = 5
# Recipe, processes, and which part of the kills; the few of a usual test run go to
# one recipe, in one process and in two.
PARTS = [('esol', 1, 0.62), ('seeds', 2, 0.14), ('fsae', 1, 0.06),
         ('single_stage', 1, 0.06), ('fsae', 2, 0.06), ('single_stage', 2, 0.06)]
FEW = [4, 1, 0, 0, 0, 0]


def share(index: int) -> int:
    if KILLS <= sum(FEW):
        return min(FEW[index], max(0, KILLS - sum(FEW[:index])))
    before = [round(KILLS * sum(part for *_, part in PARTS[:i]))
              for i in (index, index + 1)]
    return before[1] - before[0]


@pytest.mark.parametrize('index', range(len(PARTS)), ids=[
    f'{name}-{processes}' for name, processes, _ in PARTS])
def test_killed_runs_end_like_unbroken_ones(
        unbroken, scenes, tmp_path, capsys, index):
    count = share(index)
    if not count:
        pytest.skip('with MMWSSS_KILLS=100 only')
    name, processes, _ = PARTS[index]
    whole, moments = unbroken(name, processes)
    pending = choose_kills(moments, count, SEED)
    kinds = {kind_of(moment.name) for moment in moments}
    tried = {kind_of(fault.at) for fault in pending if fault.delay is None}
    for number in range(2 * count):
        broken = SmallRun(name, scenes, tmp_path / str(number), processes)
        kills = kill_in_a_row(broken, pending)
        whole_said = broken.run()
        assert whole_said.code == 0, f'after {kills}:\n{whole_said.said}'
        try:
            broken.assert_equals(whole)
        except AssertionError as error:
            raise AssertionError(f'after {kills}') from error
        with capsys.disabled():
            print(f'\n{name}, processes: {processes}, kills: {len(kills)}, then '
                  f'equal: {"; ".join(kills)}', flush=True)
        if not pending:
            break
    assert not pending
    with capsys.disabled():
        print(f'\n{name}, processes: {processes}: {count} kills in {number + 1} runs, '
              f'at {len(tried)} of {len(kinds)} kinds of moments, and at random ones',
              flush=True)


def kill_in_a_row(broken: SmallRun, pending: list[Fault]) -> list[str]:
    """Kill a run by the next faults; take those that came from ``pending``."""
    done = []
    while pending and len(done) < IN_A_ROW:
        ended = broken.run(pending[0])
        if not ended.reached:
            # What it waits for was written before an earlier kill.
            assert done and ended.code == 0, f'{pending[0]}, {done}:\n{ended.said}'
            break
        done.append(str(pending.pop(0)))
        if ended.code == 0:
            break  # What was killed had done its work.
        if ended.code > 0:
            assert ended.errors, f'{done[-1]}:\n{ended.said}'
    return done
