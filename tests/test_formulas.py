# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Each equation of a paper is found by its table, and shown there."""

import ast
import re
from pathlib import Path

import pytest

from mmwsss.utils import project_path

# Of several methods, or no formula: two views and their score maps, networks, rates.
WITHOUT_MATH = (
    'FSAE', 'StrongView', 'SEAMHead', 'ClassTokenViT', 'WeCLIPDecoder',
    'ConfidentLabel', 'MaxTTAModel', 'EpochCosineLR', 'WarmupPolyLR')
PROJECTS = Path(project_path('configs')).parent / 'projects'


def table_of(readme):
    """Its table of formulas, of which each link leads to one."""
    table = readme.read_text(encoding='utf-8').split('## Formulas')[1]
    table = table.split('\n## ')[0]
    for name, link in re.findall(r'\[`(\w+)`\]\(([^)]+)\)', table):
        module = ast.parse((readme.parent / link).read_text(encoding='utf-8'))
        found, = (node for node in module.body
                  if getattr(node, 'name', None) == name)
        shows = '.. math::' in ast.get_docstring(found)
        assert shows or name in WITHOUT_MATH, name
    return table


@pytest.mark.parametrize('method, last', [
    ('esol', 7), ('single_stage', 11), ('sance', 8), ('fsae', 9)])
def test_tables_lead_to_formulas(method, last):
    table = table_of(Path(project_path('configs', method, 'README.md')))
    rows = re.findall(r'^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$', table, re.MULTILINE)
    numbers = [int(n) for equations, _ in rows if 'Sec' not in equations
               for n in re.findall(r'\d+', equations)]
    assert numbers == list(range(1, last + 1))


@pytest.mark.parametrize('project', [
    'clip_es', 'eps_ppc', 'mctformer', 'sipe', 'weclip'])
def test_tables_of_projects(project):
    readme = PROJECTS / project / 'README.md'
    if not readme.exists():
        pytest.skip('an install has no projects')
    assert '](' in table_of(readme)
