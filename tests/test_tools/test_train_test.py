# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmwsss.engine import load_checkpoint_file

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'test_engine'))
from tiny_training import tiny_config  # noqa: E402


def environment() -> dict:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    path = os.pathsep.join(
        [str(ROOT), str(ROOT / 'tests' / 'test_engine'),
         os.environ.get('PYTHONPATH', '')])
    return dict(
        os.environ, PYTHONPATH=path, PYTHON=sys.executable, PORT=port,
        OMP_NUM_THREADS='1')


def run(command: list, code: int = 0) -> str:
    """Run a tool as users do; its output."""
    done = subprocess.run([str(c) for c in command], env=environment(),
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_config(path: Path, work_dir, **options) -> Path:
    cfg = tiny_config(work_dir, **options)
    cfg.dump(path)
    return path


def weights(work_dir, name: str = 'stage_second.pth') -> dict:
    return load_checkpoint_file(Path(work_dir) / name)['state_dict']


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """An unbroken run of tools/train.py in one process."""
    folder = tmp_path_factory.mktemp('trained')
    config = write_config(folder / 'tiny.py', folder / 'run', batch_size=4)
    run([sys.executable, ROOT / 'tools/train.py', config])
    return config, folder / 'run'


def test_two_processes_equal_one(trained, tmp_path):
    """dist_train.sh on the CPU, half the batch each."""
    _, work_dir = trained
    config = write_config(tmp_path / 'tiny.py', tmp_path / 'run', batch_size=2)
    run(['bash', ROOT / 'tools/dist_train.sh', config, 2])
    for name in ('stage_first.pth', 'stage_second.pth'):
        one = weights(work_dir, name)
        two = weights(tmp_path / 'run', name)
        assert one.keys() == two.keys()
        for key, value in one.items():
            torch.testing.assert_close(two[key], value, rtol=0, atol=1e-5)
    # The test, too: in two processes, of the stage of the checkpoint.
    out = tmp_path / 'metrics' / 'two.json'
    run(['bash', ROOT / 'tools/dist_test.sh', config,
         tmp_path / 'run' / 'stage_first.pth', 2, '--out', out])
    assert list(json.loads(out.read_text())) == ['score']


def test_killed_run_goes_on(trained, tmp_path):
    """kill -9 amid a stage; --resume ends with the very same weights."""
    config, work_dir = trained
    resumed = tmp_path / 'run'
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(config),
               '--work-dir', str(resumed), '--resume']
    process = subprocess.Popen(command, env=environment(),
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while not (resumed / 'iter_4.pth').exists() and time.time() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (resumed / 'iter_4.pth').exists()
    output = run([*command, '--cfg-options', 'log_level=INFO'])
    assert 'resumed epoch: 0, iter:' in output
    for key, value in weights(work_dir).items():
        assert torch.equal(weights(resumed)[key], value), key


def call(monkeypatch, tool: str, *args) -> None:
    """Run a tool's main in this process."""
    import runpy
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')


def test_metrics_go_to_a_file(trained, tmp_path, monkeypatch):
    config, work_dir = trained
    for out, file in ((tmp_path / 'a.json', tmp_path / 'a.json'),
                      (tmp_path / 'b', tmp_path / 'b' / 'metrics.json')):
        call(monkeypatch, 'test.py', config, work_dir / 'stage_second.pth',
             '--work-dir', tmp_path / 'test', '--out', out)
        assert list(json.loads(file.read_text())) == ['score']


def test_missing_checkpoint_is_said_plainly(trained, tmp_path, monkeypatch):
    config, _ = trained
    with pytest.raises(SystemExit, match='error: .*none.pth does not exist'):
        call(monkeypatch, 'test.py', config, tmp_path / 'none.pth',
             '--work-dir', tmp_path)
    (tmp_path / 'last_checkpoint').write_text('/gone/iter_3.pth')
    with pytest.raises(SystemExit, match='names checkpoint /gone/iter_3.pth'):
        call(monkeypatch, 'train.py', config, '--work-dir', tmp_path,
             '--resume')


def test_unwritable_folder_is_said_plainly(trained, tmp_path, monkeypatch):
    config, _ = trained
    (tmp_path / 'file').write_text('')
    folder = tmp_path / 'file' / 'run'
    with pytest.raises(SystemExit, match=f'error: .*cannot write into {folder}'):
        call(monkeypatch, 'train.py', config, '--work-dir', folder)


def test_amp_reaches_stages_with_a_wrapper_of_their_own(tmp_path, monkeypatch):
    import runpy
    names = runpy.run_path(str(ROOT / 'tools/train.py'))
    cfg = tiny_config(tmp_path)
    cfg.optim_wrapper.type = 'OptimWrapper'
    stages = cfg.custom_hooks[0].stages
    stages[1].optim_wrapper.type = 'OptimWrapper'
    names['use_amp'](cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert stages[1].optim_wrapper.type == 'AmpOptimWrapper'
    assert 'optim_wrapper' not in stages[0]


def test_tta_needs_its_config(trained, monkeypatch):
    config, work_dir = trained
    with pytest.raises(ValueError, match='--tta needs tta_model'):
        call(monkeypatch, 'test.py', config, work_dir / 'stage_second.pth',
             '--tta')


def test_help_is_useful(monkeypatch, capsys):
    for tool in ('train.py', 'test.py'):
        with pytest.raises(SystemExit, match='0'):
            call(monkeypatch, tool, '-h')
        assert f'python tools/{tool} configs/' in capsys.readouterr().out


def test_default_runtime_names_our_hooks():
    cfg = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
    hooks = {hook['type'] for hook in cfg.default_hooks.values()}
    assert {'AtomicCheckpointHook', 'ExactResumeHook', 'NaNLossHook',
            'CheckpointMatchHook'} <= hooks
