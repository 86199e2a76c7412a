# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""mmseg's registries find our parts, in whatever order things are imported."""

import os
import subprocess
import sys

import pytest

from mmwsss.utils import project_path

HEAD = "dict(type='mmseg.CAMHead', in_channels=4, channels=4, num_classes=3)"
CHECK = f"""
import mmengine.registry, mmseg.registry
for registry in (mmseg.registry.MODELS, mmengine.registry.MODELS):
    assert type(registry.build({HEAD})) is mmwsss.models.heads.CAMHead
assert 'CAMHead' in mmseg.registry.MODELS
# mmengine's own registries, whose list of locations is shared, stay as they are.
for name in dir(mmengine.registry):
    registry = getattr(mmengine.registry, name)
    assert 'mmwsss' not in str(getattr(registry, '_locations', ''))
assert type(mmseg.registry.__spec__.loader).__module__ != 'mmwsss.import_hooks'
"""
ORDERS = dict(
    mmwsss_first="""
import sys
import mmwsss
assert not {'torch', 'mmengine', 'mmseg', 'numpy'} & set(sys.modules)
""",
    registries_used_before="""
from mmseg.registry import DATASETS, MODELS
assert 'FCNHead' in MODELS and 'CAMHead' not in MODELS
import mmwsss
""",
    # Somebody imported mmwsss before the config does.
    config_names_it="""
import mmwsss.utils
from mmengine.config import Config
with open('config.py', 'w') as file:
    file.write("custom_imports = dict(imports=['mmwsss'], "
               "allow_failed_imports=False)\\n"
               "_base_ = 'mmseg::fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py'")
assert Config.fromfile('config.py').model.type == 'EncoderDecoder'
""",
    part_first="""
from mmwsss.models.heads import CAMHead
import mmwsss
""")
ALL_PARTS = """
import importlib, pkgutil
import mmseg.registry, mmwsss
from mmengine.registry import Registry

def ours():
    return {(name, part) for name, registry in vars(mmseg.registry).items()
            if isinstance(registry, Registry)
            for part, found in registry.module_dict.items()
            if found.__module__.startswith('mmwsss.')}

for registry in vars(mmseg.registry).values():
    if isinstance(registry, Registry):
        registry.get('nothing')
found = ours()
for module in pkgutil.walk_packages(mmwsss.__path__, 'mmwsss.'):
    importlib.import_module(module.name)
assert found == ours(), ours() - found
assert len(found) > 80
"""


def run(code, folder):
    """Run code in a new Python; what it printed."""
    paths = [os.path.dirname(project_path('tools')), os.environ.get('PYTHONPATH')]
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=folder, capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))})
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize('order', ORDERS)
def test_parts_are_found_in_any_order_of_imports(order, tmp_path):
    run(ORDERS[order] + CHECK, tmp_path)


def test_registries_find_every_part(tmp_path):
    run(ALL_PARTS, tmp_path)


def test_quiet_imports_drop_known_lines_only(tmp_path):
    """Stand-ins for mmseg and mmcv that say what they always say, and more."""
    for name, said in {
            'mmseg/__init__': '',
            'mmseg/datasets': "print('Could not import OneDL'); print('news')\n"
                              "print('x', 'Could not import OneDL')",
            'mmcv/__init__': '', 'mmcv/cnn/__init__': '',
            'mmcv/cnn/bricks/__init__': '',
            'mmcv/cnn/bricks/transformer':
            "import warnings\nwarnings.warn('Fail to import "
            "``MultiScaleDeformableAttention`` from')\nwarnings.warn('other')"
    }.items():
        path = tmp_path / f'{name}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
    said = run(
        'import sys; sys.path.insert(0, ".")\n'
        'from mmwsss.import_hooks import quiet_imports; quiet_imports()\n'
        'import mmseg.datasets, mmcv.cnn.bricks.transformer', tmp_path)
    assert said.splitlines()[:2] == ['news', 'x Could not import OneDL']
    assert 'UserWarning: other' in said and 'Fail to import' not in said
