# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The project as a whole: what is packed, what imports what."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from packaging.requirements import Requirement

import mmwsss
from mmwsss.utils import paths, project_path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'mmwsss'

# The rooms of mmwsss from the lowest upwards, each with the rooms it may import.
BASE = {'version', 'utils', 'structures', 'ops'}
MAY_IMPORT = {
    'version': set(),
    'ctrl_c': set(),
    'import_hooks': set(),
    'utils': {'version', 'ctrl_c', 'import_hooks'},
    'image_folder': {'utils'},
    'structures': {'utils'},
    'ops': {'utils'},
    'shards': {'utils', 'structures'},
    'datasets': BASE | {'shards'},
    'models.layers': BASE,
    'models.losses': BASE,
    'models.refiners': BASE,
    'models.backbones': BASE | {'models.layers'},
    'models.heads': BASE | {'models.layers', 'models.losses', 'models.refiners'},
    'models.segmentors':
    BASE | {'models.layers', 'models.losses', 'models.refiners', 'models.heads'},
    'models.tta': BASE,
    'engine': BASE | {'datasets', 'models.layers'},
    'evaluation': BASE | {'datasets', 'models.refiners'},
    'recipes': BASE | {'engine'},
    'visualization': BASE | {'datasets', 'evaluation', 'recipes'},
    'apis': BASE | {'shards', 'datasets', 'engine', 'evaluation', 'recipes',
                    'visualization', 'import_hooks'},
    'commands': BASE | {'image_folder', 'recipes', 'apis'},
    '__main__': {'ctrl_c', 'commands'},
}


def python_files(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob('*.py')
                  if '.mim' not in path.parts)


def imported_modules(path):
    """Absolute names of what a file imports, lazily or not."""
    package = path.relative_to(ROOT).with_suffix('').parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[:len(package) - node.level + 1]) if node.level else []
            base += node.module.split('.') if node.module else []
            yield from ('.'.join([*base, alias.name]) for alias in node.names)


def room_of(module):
    """``'mmwsss.models.heads.cam_head'`` -> ``'models.heads'``."""
    parts = module.split('.')[1:]
    return '.'.join(parts[:2]) if parts[:1] == ['models'] else '.'.join(parts[:1])


def requirements(name):
    lines = (ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


def canonical(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def forbidden_imports(path, room):
    allowed = MAY_IMPORT[room] | {room}
    for module in imported_modules(path):
        if module.split('.')[0] == 'mmwsss' and room_of(module) not in allowed:
            yield module


@pytest.mark.parametrize('room', MAY_IMPORT)
def test_imports_run_downward(room):
    folder = PACKAGE / room.replace('.', '/')
    files = python_files(folder) if folder.is_dir() else [PACKAGE / f'{room}.py']
    wrong = {
        str(path.relative_to(ROOT)): modules
        for path in files if path.exists()
        and (modules := list(forbidden_imports(path, room)))
    }
    assert not wrong


def test_no_circle_among_files():
    names = {
        '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'):
        path for path in python_files('mmwsss')}

    def file_of(module):
        while module not in names:
            module = module.rpartition('.')[0]
        return module

    imports = {
        name: {file_of(module) for module in imported_modules(path)
               if module.split('.')[0] == 'mmwsss'} - {name}
        for name, path in names.items()}
    assert 'mmwsss.recipes.job' in imports['mmwsss.recipes.recipe_runner']
    assert 'mmwsss.utils.io' in imports['mmwsss.utils']
    while lowest := [name for name in imports if not imports[name] & set(imports)]:
        for name in lowest:
            del imports[name]
    assert not imports


def test_every_room_has_a_place_in_the_order():
    order = list(MAY_IMPORT)
    for place, room in enumerate(order):
        assert MAY_IMPORT[room] <= set(order[:place]), f'{room} looks upwards'
    rooms = {room_of('.'.join(path.relative_to(ROOT).parts[:-1]))
             for path in python_files('mmwsss')}
    assert rooms <= {*MAY_IMPORT, '', 'models'}


def test_the_import_check_sees_every_form(monkeypatch, tmp_path):
    file = tmp_path / 'mmwsss' / 'ops' / 'bad.py'
    file.parent.mkdir(parents=True)
    file.write_text('import mmwsss.engine\n'
                    'from ..models.heads import CAMHead\n'
                    'from mmwsss import datasets\n'
                    'from . import pamr\n'
                    'def late():\n    from ..models import heads\n')
    monkeypatch.setattr(sys.modules[__name__], 'ROOT', tmp_path)
    assert sorted(forbidden_imports(file, 'ops')) == [
        'mmwsss.datasets', 'mmwsss.engine', 'mmwsss.models.heads',
        'mmwsss.models.heads.CAMHead'
    ]


def test_core_knows_no_project_and_no_compiled_ops():
    for path in python_files('mmwsss', 'tools', 'configs', 'demo', 'projects'):
        for module in imported_modules(path):
            assert not module.startswith('mmcv.ops'), path
            if 'projects' not in path.relative_to(ROOT).parts:
                assert module.split('.')[0] != 'projects', path


def test_third_party_imports_are_required():
    """What mmwsss imports at the top of a file is a requirement."""
    names = {canonical(req.name) for req in requirements('runtime.txt')}
    names |= {canonical(req.name).removeprefix('onedl-')
              for req in requirements('mminstall.txt')}
    modules = {'pillow': 'pil', 'mmsegmentation': 'mmseg'}
    known = {modules.get(name, name) for name in names} | {
        'mmwsss',
        'cv2',  # comes with mmcv
        'llvmlite',  # comes with numba
    }
    for path in python_files('mmwsss', 'tools', 'demo'):
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for node in tree.body:
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = [node.module]
            else:
                continue
            for module in found:
                top = module.split('.')[0]
                if any((path.parent / name).exists()
                       for name in (f'{top}.py', f'{top}/__init__.py')):
                    continue  # beside a tool
                assert top in sys.stdlib_module_names or top.lower() in known, (
                    f'{path} imports {top}, which no requirement names')


def test_lock_covers_the_requirements():
    pins = requirements('lock.txt')
    for pin in pins:
        assert re.fullmatch(r'==[^,*]+', str(pin.specifier)), f'{pin} is no pin'
    for version in ('3.10', '3.11', '3.12', '3.13'):
        environment = {'python_version': version, 'python_full_version': f'{version}.0'}
        locked = [canonical(pin.name) for pin in pins
                  if pin.marker is None or pin.marker.evaluate(environment)]
        assert len(locked) == len(set(locked)), 'a package is locked twice'
        for name in ('runtime.txt', 'mminstall.txt', 'tests.txt', 'optional.txt'):
            for requirement in requirements(name):
                marker = requirement.marker
                if marker is None or marker.evaluate(environment):
                    assert canonical(requirement.name) in locked, (name, version)


def test_requirements_cap_no_version():
    for name in ('runtime.txt', 'mminstall.txt', 'tests.txt'):
        for requirement in requirements(name):
            assert not re.search('<|==|~=', str(requirement.specifier)), requirement


def test_version():
    assert re.fullmatch(r'\d+\.\d+\.\d+(\w+)?', mmwsss.__version__)
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
    assert citation['version'] == mmwsss.__version__
    changelog = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    assert f'## {mmwsss.__version__} ' in changelog


def test_model_index_names_whole_metafiles():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))
    on_disk = {str(path.relative_to(ROOT)) for path in
               (ROOT / 'configs').glob('*/metafile.yml')}
    assert set(index['Import']) == on_disk
    projects = (str(path.relative_to(ROOT)) for path in
                (ROOT / 'projects').glob('*/metafile.yml'))
    for name in (*index['Import'], *projects):
        metafile = yaml.safe_load((ROOT / name).read_text(encoding='utf-8'))
        for model in metafile.get('Models', []):
            assert (ROOT / model['Config']).is_file(), model['Name']


def load_setup():
    spec = importlib.util.spec_from_file_location('mmwsss_setup', ROOT / 'setup.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_wheel_brings_configs_and_tools(monkeypatch, tmp_path):
    pytest.importorskip('setuptools')
    from setuptools.dist import Distribution
    monkeypatch.chdir(ROOT)
    module = load_setup()
    files = set(module.mim_files())
    assert {'model-index.yml', 'tools/train.py', 'tools/dist_train.sh',
            'configs/_base_/default_runtime.py', 'configs/esol/metafile.yml',
            'demo/image_demo.py'} <= files
    assert not [name for name in files if '__pycache__' in name]

    distribution = Distribution(dict(
        name='mmwsss', packages=['mmwsss.utils'], script_name='setup.py'))
    command = module.BuildWithMim(distribution)
    command.build_lib = str(tmp_path)
    command.ensure_finalized()
    command.run()
    installed = tmp_path / 'mmwsss'
    for name in files:
        assert (installed / '.mim' / name).read_bytes() == (ROOT / name).read_bytes()
    assert os.access(installed / '.mim/tools/dist_train.sh', os.X_OK)
    assert str(installed / '.mim/tools/train.py') in command.get_outputs()

    # project_path finds them in the install.
    monkeypatch.setattr(paths, '_PACKAGE', str(installed))
    assert project_path('tools', 'train.py') == str(
        installed / '.mim' / 'tools' / 'train.py')

    # An editable install uses the checkout.
    command.editable_mode = True
    assert not command._mim_pairs()


def test_wheel_brings_the_template(monkeypatch, tmp_path):
    pytest.importorskip('setuptools')
    from setuptools.dist import Distribution
    monkeypatch.chdir(ROOT)
    distribution = Distribution(dict(script_name='setup.py'))
    distribution.parse_config_files()
    distribution.packages = ['mmwsss.visualization']
    command = distribution.get_command_obj('build_py')
    command.build_lib = str(tmp_path)
    command.ensure_finalized()
    command.run()
    for name in ('report.html', 'report.js'):
        assert (tmp_path / 'mmwsss/visualization' / name).read_bytes() == (
            PACKAGE / 'visualization' / name).read_bytes()


def test_project_path_in_a_checkout():
    assert project_path('configs') == str(ROOT / 'configs')
    with pytest.raises(FileNotFoundError, match='no_such.py'):
        project_path('tools', 'no_such.py')


def tracked_files():
    listing = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, text=True,
                             capture_output=True)
    if listing.returncode:
        pytest.skip('not a git checkout')
    return [ROOT / name for name in listing.stdout.split('\0') if name]


def test_files_are_small_and_name_no_private_path():
    private = re.compile(r'(?<![\w./-])/(root|work|home)/\w')
    for path in tracked_files():
        if not path.is_file():
            continue
        assert path.stat().st_size < 2**20, f'{path} is larger than 1 MB'
        try:
            text = path.read_text(encoding='utf-8')
        except UnicodeDecodeError:
            continue
        found = private.search(text)
        assert not found, f'{path} names {found[0]}...'


def test_python_files_carry_the_license():
    for path in python_files('mmwsss', 'tools', 'demo', 'tests', 'projects'):
        if 'configs' in path.relative_to(ROOT).parts:
            continue
        text = path.read_text(encoding='utf-8')
        head = '\n'.join(text.splitlines()[:2])
        assert not text or 'SPDX-License-Identifier: Apache-2.0' in head, path


def install_script(tmp_path, environment):
    # One installation at a time: another one would wait, and say so.
    with FileLock(tmp_path.parents[1] / 'install.lock'):
        return subprocess.run(
            ['bash', str(ROOT / '.dev_scripts/install.sh'), str(tmp_path / 'venv'),
             'requirements/lock.txt'],
            env={**os.environ, **environment}, text=True, capture_output=True,
            timeout=60)


def test_install_refuses_a_wrong_python(tmp_path):
    done = install_script(tmp_path, {'PYTHON': 'false'})
    assert done.returncode == 1
    assert 'PYTHON=false is not a working Python 3.10 to 3.13' in done.stderr
    assert not (tmp_path / 'venv').exists()


def fake_python(tmp_path, pip):
    """An interpreter whose pip is a line of shell."""
    python = tmp_path / 'python'
    python.write_text(
        '#!/bin/sh\n'
        'case "$*" in\n'
        '  "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;\n'
        f'  "-m pip"*) {pip} ;;\n'
        '  -V) echo Python 3.11.2 ;;\n'
        'esac\n')
    python.chmod(0o755)
    return str(python)


# Free disk is asked for before anything is installed.
@pytest.fixture
def enough_disk(monkeypatch, tmp_path):
    (tmp_path / 'bin').mkdir()
    df = tmp_path / 'bin' / 'df'
    df.write_text('#!/bin/sh\necho\necho disk 99999999 1 99999999 1% /\n')
    df.chmod(0o755)
    monkeypatch.setenv('PATH', str(df.parent), prepend=os.pathsep)


@pytest.mark.parametrize('line, sentence', [
    ('strange words', 'FAILED: installing PyTorch\n'),
    ('NewConnectionError: no route to host', 'index cannot be reached'),
    ('SSLError: CERTIFICATE_VERIFY_FAILED', 'PIP_CERT names another'),
    ('OSError: [Errno 28] No space left on device', 'is full.'),
    ('ERROR: No matching distribution found for scipy==9',
     'has no wheel of scipy==9 for Python 3.11.2'),
])
def test_install_says_what_failed(tmp_path, enough_disk, line, sentence):
    """The step, the cause where it is known, and the advice are named."""
    python = fake_python(tmp_path, f'echo "{line}"; exit 1')
    done = install_script(tmp_path, {'PYTHON': python})
    assert done.returncode == 1
    assert 'FAILED: installing PyTorch' in done.stderr
    assert sentence in done.stderr
    known = sentence.endswith('\n')
    assert (line in done.stderr) == known, "pip's own words, if there is no better"
    assert ('PIP_INDEX_URL' in done.stderr) == ('full' not in sentence)
    assert not (tmp_path / 'venv' / 'mmwsss.stamp').exists()
    # A full disk gets its room back; the next run starts anew in any case.
    assert (tmp_path / 'venv' / 'bin').exists() == ('full' not in sentence)
    again = install_script(tmp_path, {'PYTHON': python})
    assert 'making the virtual environment' in again.stderr


def test_install_refuses_a_full_disk(tmp_path, enough_disk):
    df = tmp_path / 'bin' / 'df'
    df.write_text(df.read_text().replace('99999999', '999999'))
    done = install_script(tmp_path, {'PYTHON': fake_python(tmp_path, 'exit 1')})
    assert done.returncode == 1 and '976 MB of free disk' in done.stderr


def test_install_refuses_a_folder_of_others(tmp_path):
    (tmp_path / 'venv').mkdir()
    (tmp_path / 'venv' / 'thesis.tex').touch()
    done = install_script(tmp_path, {'PYTHON': fake_python(tmp_path, 'exit 1')})
    assert done.returncode == 1 and 'is not empty' in done.stderr
    assert os.listdir(tmp_path / 'venv') == ['thesis.tex']
    done = install_script(tmp_path, {'TORCH': 'gpu'})
    assert done.returncode == 1 and 'TORCH=cpu or TORCH=default' in done.stderr


@pytest.mark.parametrize('torch', ['cpu', 'default'])
def test_installs_with_isolated_builds(tmp_path, enough_disk, torch):
    """mmcv compiles for half an hour where its build sees torch."""
    python = fake_python(
        tmp_path, 'echo "$PIP_NO_BUILD_ISOLATION $PIP_BUILD_CONSTRAINT $*" >> '
        f'"{tmp_path}/calls"')
    done = install_script(
        tmp_path, {'PYTHON': python, 'TORCH': torch, 'PIP_NO_BUILD_ISOLATION': '0',
                   'TORCH_INDEX_URL': 'https://example.org/cpu'})
    assert done.returncode == 0, done.stderr
    wheels, rest, ours = (tmp_path / 'calls').read_text().splitlines()
    assert ('torch==' in wheels) == (torch == 'cpu')
    assert ('+cpu' in wheels) == ('example.org' in wheels) == (torch == 'cpu')
    # The value of this variable is what pip stores as "build isolation".
    assert rest.startswith('1 ') and '--no-build-isolation' not in rest
    assert '-r requirements/lock.txt' in rest and 'example.org' not in rest
    assert ours.endswith('--no-build-isolation -e .')
    stamp = tmp_path / 'venv' / 'mmwsss.stamp'
    assert stamp.exists() and not (tmp_path / 'venv' / 'tmp').exists()
    # Another run does nothing, and another TORCH starts anew.
    assert not install_script(tmp_path, {'PYTHON': python}).stderr
    other = {'cpu': 'default', 'default': 'cpu'}[torch]
    done = install_script(tmp_path, {'PYTHON': python, 'TORCH': other})
    assert 'making the virtual environment' in done.stderr


def test_clean_environment(tmp_path):
    done = subprocess.run(
        [str(ROOT / '.dev_scripts/clean_env.sh'), 'env'], text=True,
        capture_output=True, check=True,
        env={'PATH': os.environ['PATH'], 'PIP_INDEX_URL': 'https://a b',
             'https_proxy': 'proxy', 'PYTHONPATH': 'x', 'CXX': 'false',
             'PIP_CACHE_DIR': 'cache', 'PIP_NO_BUILD_ISOLATION': '0'})
    assert set(done.stdout.splitlines()) >= {
        'PIP_NO_CACHE_DIR=1', 'PIP_INDEX_URL=https://a b', 'https_proxy=proxy'}
    for name in ('PYTHONPATH', 'CXX', 'CACHE_DIR=cache', 'ISOLATION'):
        assert name not in done.stdout


@pytest.mark.parametrize('reached, status', [(False, 0), (True, 3)])
def test_audit_where_the_index_has_advisories(reached, status, tmp_path):
    for name, line in {'bin/python': f'exit {int(not reached)}',
                       'audit/bin/pip-audit': 'echo "$@"; exit 3'}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\n{line}\n')
        path.chmod(0o755)
    done = subprocess.run(
        ['bash', ROOT / '.dev_scripts/audit.sh', tmp_path, 'lock.txt'],
        capture_output=True, text=True)
    assert done.returncode == status
    said = done.stdout if reached else done.stderr
    assert ('-r lock.txt' if reached else 'lock.txt is not audited') in said
