# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import os

import pytest

from mmwsss.utils.ledger import Ledger

MADE = dict(version='1', settings=dict(threshold=0.3, words=('a', 'b')),
            inputs={'{seeds}': 'abc'})


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / 'deep' / 'ledger.json')


def decide(path, made=MADE, digest=None):
    decision = Ledger(path).decide(made, digest)
    return decision.action, decision.reason


def test_a_life(path):
    """Each state is read back by a later process."""
    assert decide(path) == ('run', 'not run yet')
    ledger = Ledger(path)
    ledger.begin(MADE)
    assert decide(path) == ('resume', 'was running')
    ledger.finish('failed')
    assert decide(path) == ('resume', 'was failed')
    ledger.begin(MADE, resume=True)
    ledger.finish(outputs=dict(out='1'), metrics=dict(score=0.5))
    assert decide(path) == ('skip', 'unchanged')
    assert decide(path, digest=lambda name: '1') == ('skip', 'unchanged')
    assert decide(path, digest=lambda name: '2') == ('run', 'its output out changed')
    assert Ledger(path).record['metrics'] == dict(score=0.5)
    Ledger(path).begin(MADE)
    assert Ledger(path).record['metrics'] == {}


def test_seconds_add_up_over_runs_that_go_on(path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr('time.monotonic', lambda: now[0])
    ledger = Ledger(path)
    ledger.begin(MADE)
    now[0] += 11
    ledger.beat()
    now[0] += 5  # Lost by a kill.
    again = Ledger(path)
    again.begin(MADE, resume=True)
    now[0] += 7
    again.finish()
    assert Ledger(path).record['seconds'] == 18
    again.begin(MADE)
    assert Ledger(path).record['seconds'] == 0


@pytest.mark.parametrize('change, reason', [
    (dict(version='2'), 'version changed'),
    (dict(settings=dict(threshold=0.4, words='ab')), 'settings.threshold changed'),
    (dict(settings=dict(words=('a', 'b'))), 'settings.threshold changed'),
    (dict(inputs={'{seeds}': 'abd'}), '{seeds} changed'),
    (dict(processes=2), 'processes changed'),
])
def test_names_what_changed(path, change, reason):
    Ledger(path).begin(MADE)
    assert decide(path, dict(MADE, **change)) == ('run', reason)


@pytest.mark.parametrize('content', [
    b'', b'{"made_from": {"a"', b'[1, 2]', b'7', b'null', b'"text"', b'\x00\xff\x80',
    b'{"made_from": 3}', b'{"made_from": {}, "status": 1}',
    b'{"made_from": {}, "outputs": []}', b'{"made_from": {}, "metrics": [1]}',
    b'{"made_from": {}, "seconds": "long"}', b'[' * 100_000,
    b'{"made_from": {}, "seconds": -Infinity}', b'{"made_from": {}, "seconds": NaN}',
    b'{"made_from": {}, "seconds": 1e999}', b'{"made_from": {}, "seconds": -1}',
    b'{"made_from": {}, "seconds": true}',
    b'{"made_from": {}, "seconds": 1' + b'0' * 400 + b'}',
    b'{"made_from": {}, "metrics": {"mIoU": 1' + b'0' * 400 + b'}}',
])
def test_damaged_ledger_counts_as_none(path, content):
    Ledger(path).begin(MADE)
    with open(path, 'wb') as file:
        file.write(content)
    action, reason = decide(path)
    assert action == 'run' and f'its ledger {path} is damaged' in reason
    ledger = Ledger(path)
    ledger.begin(MADE)
    assert not ledger.problem and decide(path)[0] == 'resume'


def test_a_folder_in_its_place(tmp_path):
    assert 'damaged' in Ledger(str(tmp_path)).problem


def test_reads_what_tools_wrote_once(tmp_path):
    path = tmp_path / '.made_from.json'
    path.write_text('{"weights": "abc"}')
    assert decide(str(path), dict(weights='abc')) == ('resume', 'was running')
    assert decide(str(path), dict(weights='abd')) == ('run', 'weights changed')


def test_another_process_may_finish(path):
    first = Ledger(path)
    first.begin(MADE)
    first.finish('interrupted')
    first.note(seconds=50.0)
    Ledger(path).begin(MADE, resume=False)
    begun = os.stat(path).st_mtime
    os.utime(path, (begun - 7, begun - 7))
    Ledger(path).finish(outputs={})
    assert 7 <= Ledger(path).record['seconds'] < 27
    assert decide(path)[0] == 'skip'
