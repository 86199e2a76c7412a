# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmseg.registry import MODELS
from PIL import Image

from mmwsss.engine import load_checkpoint_file
from mmwsss.models.layers import OffsetConv2d

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'test_engine'))
from method_training import STAGES, esol_config  # noqa: E402
from tiny_training import tiny_config, train  # noqa: E402


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
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def call(monkeypatch, tool: str, *args) -> None:
    """Run a tool's main in this process."""
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    script = runpy.run_path(str(ROOT / 'tools' / tool))
    script['main'](script['parse_args']())


def write_config(path: Path, work_dir, **options) -> Path:
    cfg = tiny_config(work_dir, **options)
    cfg.dump(path)
    return path


def weights(work_dir, name: str = 'stage_second.pth') -> dict:
    return load_checkpoint_file(Path(work_dir) / name)['state_dict']


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """An unbroken run in this process."""
    folder = tmp_path_factory.mktemp('trained')
    config = write_config(folder / 'tiny.py', folder / 'run', batch_size=4)
    train(Config.fromfile(config))
    return config, folder / 'run'


def test_two_processes_equal_one(voc_root, tmp_path):
    """ESOL by dist_train.sh on the CPU, half the batch each."""
    config = esol_config(voc_root, tmp_path / 'two', batch_size=2)
    config.dump(tmp_path / 'two.py')
    run(['bash', ROOT / 'tools/dist_train.sh', tmp_path / 'two.py', 2])
    train(esol_config(voc_root, tmp_path / 'one', batch_size=4))
    for stage in STAGES:
        one = weights(tmp_path / 'one', f'stage_{stage}.pth')
        two = weights(tmp_path / 'two', f'stage_{stage}.pth')
        assert one.keys() == two.keys()
        for key, value in one.items():
            torch.testing.assert_close(two[key], value, rtol=0, atol=1e-5)


def test_two_processes_test(trained, tmp_path, monkeypatch):
    """dist_test.sh measures what one process does."""
    config, work_dir = trained
    metrics = []
    for name in ('one.json', 'two.json'):
        command = [config, work_dir / 'stage_first.pth']
        options = ['--work-dir', tmp_path, '--out', tmp_path / name]
        if name == 'two.json':
            run(['bash', ROOT / 'tools/dist_test.sh', *command, 2, *options])
        else:
            call(monkeypatch, 'test.py', *command, *options)
        metrics.append(json.loads((tmp_path / name).read_text())['score'])
    assert metrics[0] == pytest.approx(metrics[1], abs=1e-6)


def test_killed_run_goes_on(trained, tmp_path):
    """kill -9 amid a stage; --resume ends with the very same weights."""
    config, work_dir = trained
    resumed = tmp_path / 'run'
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(config),
               '--work-dir', str(resumed), '--resume']
    process = subprocess.Popen(command, env=environment(),
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    deadline = time.time() + 280
    while not (resumed / 'iter_4.pth').exists() and time.time() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (resumed / 'iter_4.pth').exists()
    output = run([*command, '--cfg-options', 'log_level=INFO'])
    assert 'resumed epoch: 0, iter:' in output
    for key, value in weights(work_dir).items():
        assert torch.equal(weights(resumed)[key], value), key


def test_metrics_go_to_a_file(trained, tmp_path, monkeypatch):
    config, work_dir = trained
    for out, file in ((tmp_path / 'a.json', tmp_path / 'a.json'),
                      (tmp_path / 'b', tmp_path / 'b' / 'metrics.json')):
        call(monkeypatch, 'test.py', config, work_dir / 'stage_second.pth',
             '--work-dir', tmp_path / 'test', '--out', out)
        assert list(json.loads(file.read_text())) == ['score']


def test_amp_reaches_stages_with_a_wrapper_of_their_own(tmp_path, monkeypatch):
    names = runpy.run_path(str(ROOT / 'tools/train.py'))
    cfg = tiny_config(tmp_path)
    cfg.optim_wrapper.type = 'OptimWrapper'
    stages = cfg.custom_hooks[0].stages
    stages[1].optim_wrapper.type = 'OptimWrapper'
    names['use_amp'](cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert stages[1].optim_wrapper.type == 'AmpOptimWrapper'
    assert 'optim_wrapper' not in stages[0]


def test_amp_trains_every_stage(voc_root, tmp_path, monkeypatch):
    """What a GPU does in half precision, a CPU does in bfloat16."""
    if torch.cuda.is_available():
        pytest.skip('the model would go to the GPU')
    monkeypatch.setattr('mmengine.device.get_device', lambda: 'cuda')
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    seen = []
    offsets = OffsetConv2d.forward

    def record(self, x, *args):
        out = offsets(self, x, *args)
        sampled = self.last_offset is not None
        seen.append((out.dtype, self.last_offset.dtype if sampled else None))
        return out

    monkeypatch.setattr(OffsetConv2d, 'forward', record)
    config = esol_config(voc_root, tmp_path / 'run')
    config.val_dataloader = config.val_evaluator = config.val_cfg = None
    config.dump(tmp_path / 'amp.py')
    call(monkeypatch, 'train.py', tmp_path / 'amp.py', '--amp')
    # Offsets, and what is read at them, stay in single precision.
    assert set(seen) == {(torch.bfloat16, None), (torch.float32, torch.float32)}
    classify, shrink = (weights(tmp_path / 'run', f'stage_{stage}.pth')
                        for stage in ('classify', 'shrink'))
    moved = {key for key in classify if not torch.equal(classify[key], shrink[key])}
    assert moved == {f'decode_head.conv_{i}.conv_offset.{kind}'
                     for i in (1, 2) for kind in ('weight', 'bias')}
    assert all(shrink[key].isfinite().all() for key in moved)


def test_show_dir_draws_every_image(voc_root, tmp_path, monkeypatch):
    config = esol_config(voc_root, tmp_path / 'run')
    config.dump(tmp_path / 'show.py')
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    call(monkeypatch, 'test.py', tmp_path / 'show.py', tmp_path / 'model.pth',
         '--show-dir', tmp_path / 'shown')
    names = (voc_root / 'ImageSets/Segmentation/val.txt').read_text().split()
    pictures = sorted((tmp_path / 'shown').rglob('*.png'))
    assert len(pictures) == len(names) == 4
    for name, picture in zip(sorted(names), pictures, strict=True):
        assert name in picture.name
        with Image.open(picture) as image:
            # Ground truth beside the prediction.
            assert image.size == (128, 64)


STOCK = """
_base_ = 'mmseg::fcn/fcn_r50-d8_4xb4-20k_voc12aug-512x512.py'
custom_imports = dict(imports=['mmwsss'], allow_failed_imports=False)
model = dict(
    pretrained=None,
    backbone=dict(depth=18, base_channels=4),
    decode_head=dict(
        _delete_=True, type='CAMHead', in_channels=32, num_classes=21),
    auxiliary_head=None,
    data_preprocessor=dict(size=(64, 64)))
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='ImageLabelsFromMask', num_classes=21),
    dict(type='RandomCrop', crop_size=(64, 64)),
    dict(type='PackWeakInputs')
]
train_dataloader = dict(
    _delete_=True,
    batch_size=2,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='PascalVOCDataset',
        data_root='{data_root}',
        ann_file='ImageSets/Segmentation/train.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'),
        pipeline=train_pipeline))
train_cfg = dict(max_iters=3)
val_cfg = val_dataloader = val_evaluator = None
"""


def test_stock_config_trains_a_cam(voc_root, tmp_path, monkeypatch):
    """A config of mmseg's own, our import and our head are enough."""
    config = tmp_path / 'stock.py'
    config.write_text(STOCK.replace('{data_root}', str(voc_root)))
    call(monkeypatch, 'train.py', config, '--work-dir', tmp_path)
    checkpoint = load_checkpoint_file(tmp_path / 'iter_3.pth')
    assert checkpoint['meta']['iter'] == 3
    assert checkpoint['state_dict']['decode_head.classifier.weight'].shape[0] == 20


def test_tta_needs_its_config(trained, monkeypatch):
    config, work_dir = trained
    with pytest.raises(ValueError, match='--tta needs tta_model'):
        call(monkeypatch, 'test.py', config, work_dir / 'stage_second.pth',
             '--tta')
