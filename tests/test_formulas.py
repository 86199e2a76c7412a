# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Each equation of the four papers is found by its table, and shown there."""

import ast
import os.path as osp
import re

import pytest

from mmwsss.utils import project_path

# Two views and their score maps: words, not formulas.
WITHOUT_MATH = ('FSAE', 'StrongView')


@pytest.mark.parametrize('method, last', [
    ('esol', 7), ('single_stage', 11), ('sance', 8), ('fsae', 9)])
def test_tables_lead_to_formulas(method, last):
    readme = project_path('configs', method, 'README.md')
    with open(readme, encoding='utf-8') as file:
        table = file.read().split('## Formulas')[1].split('\n## ')[0]
    rows = re.findall(r'^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$', table, re.MULTILINE)
    numbers = [int(n) for equations, _ in rows if 'Sec' not in equations
               for n in re.findall(r'\d+', equations)]
    assert numbers == list(range(1, last + 1))
    for name, link in re.findall(r'\[`(\w+)`\]\(([^)]+)\)', table):
        path = osp.join(osp.dirname(readme), link)
        with open(path, encoding='utf-8') as file:
            module = ast.parse(file.read())
        found, = (node for node in module.body
                  if getattr(node, 'name', None) == name)
        shows = '.. math::' in ast.get_docstring(found)
        assert shows or name in WITHOUT_MATH, name
