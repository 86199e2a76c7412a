# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the documentation site is made of; `make docs` builds it."""

import importlib.util
import os.path as osp
import re

import pytest
import yaml

from mmwsss.utils import project_path

DOCS = osp.join(osp.dirname(project_path('tools')), 'docs', 'en')


@pytest.fixture(scope='module')
def build():
    spec = importlib.util.spec_from_file_location('build', osp.join(DOCS, 'build.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def site(build, tmp_path_factory):
    source = tmp_path_factory.mktemp('site')
    build.gather(str(source))
    return source


def test_every_page_is_in_the_menu(site):
    menus = re.findall(r'```\{toctree\}.*?\n\n(.*?)```', (
        site / 'README.md').read_text(), re.DOTALL)
    listed = {line for menu in menus for line in menu.split()}
    pages = {str(path.relative_to(site)) for suffix in ('md', 'rst')
             for path in site.rglob(f'*.{suffix}')}
    assert pages - listed == {'README.md'}
    assert listed <= pages


def test_every_link_leads_somewhere(site, build):
    links = 0
    for page in site.rglob('*.md'):
        for _, target, *_ in build.LINK.findall(page.read_text()):
            if ':' not in target:
                assert (page.parent / target).exists(), (page, target)
                links += 1
    assert links > 100


@pytest.mark.parametrize('page, target, expected', [
    ('docs/en/voc.md', 'https://example.org/a.md', ('https://example.org/a.md', None)),
    ('docs/en/voc.md', 'coco.md', ('coco.md', None)),
    ('docs/en/voc.md', '../../projects/', ('../../projects/README.md', None)),
    ('README.md', 'configs', ('docs/en/model_zoo.md', None)),
    ('README.md', 'setup.py', ('setup.py', 'setup.py')),
])
def test_links(build, page, target, expected):
    assert build.link(page, target, {'docs/en/coco.md', 'projects/README.md'}) \
        == expected


def test_model_zoo(site):
    page = (site / 'docs' / 'en' / 'model_zoo.md').read_text()
    with open(project_path('configs', 'esol', 'metafile.yml')) as file:
        models = yaml.safe_load(file)['Models']
    assert models and all(f'| `{model["Config"]}` |' in page for model in models)
    assert '## [SIPE](../../projects/sipe/README.md)' in page


def test_api_has_every_public_name(site):
    import mmwsss.ops
    assert mmwsss.ops.__all__
    assert 'automodule:: mmwsss.ops\n' in (site / 'api' / 'mmwsss.ops.rst').read_text()
