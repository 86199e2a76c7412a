# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Each equation of a paper is found by its table, and shown there."""

import ast
import re
from pathlib import Path

import pytest

from mmwsss.utils import project_path

PROJECTS = Path(project_path('configs')).parent / 'projects'
# What docstrings call the papers.
PAPERS = dict(
    esol='ESOL', single_stage='Single-stage segmentation', sance='SANCE', fsae='FSAE')
NUMBERS = r'\d+(?:(?:, | and | to )\d+)*'


def table_of(readme):
    """The rows of its table of formulas: cells, and docstrings by name."""
    table = readme.read_text(encoding='utf-8').split('## Formulas')[1]
    table = table.split('\n## ')[0]
    for row in re.findall(r'^\| (.+) \|$', table, re.MULTILINE)[2:]:
        docstrings = {
            name: docstring_of(name, readme.parent / link)
            for name, link in re.findall(r'\[`([\w.]+)[^`]*`\]\(([^)]+)\)', row)
        }
        yield row.split(' | '), docstrings


def docstring_of(name, path):
    """What the docstring of a class or function of that module says."""
    module = ast.parse(path.read_text(encoding='utf-8'))
    found, = (node for node in module.body
              if getattr(node, 'name', None) == name.split('.')[-1])
    return ast.get_docstring(found)


def numbers_in(text):
    """The numbers of ``1, 2``, ``1 and 2`` or ``1 to 3``."""
    ranges = re.findall(r'(\d+)(?: to (\d+))?', text)
    return {n for first, last in ranges
            for n in range(int(first), int(last or first) + 1)}


def shown_numbers(docstring, paper):
    """The equations of a paper that are named right above a formula."""
    shown = set()
    paragraphs = [' '.join(text.split()) for text in docstring.split('\n\n')]
    for text, formula in zip(paragraphs, paragraphs[1:], strict=False):
        if formula.startswith('.. math::'):
            for numbers in re.findall(rf'{paper}, Eqs?\. ({NUMBERS})', text, re.I):
                shown |= numbers_in(numbers)
    return shown


@pytest.mark.parametrize('method, last', [
    ('esol', 7), ('single_stage', 11), ('sance', 8), ('fsae', 9)])
def test_tables_lead_to_formulas(method, last):
    found = []
    for cells, docstrings in table_of(Path(project_path('configs', method,
                                                        'README.md'))):
        assert docstrings
        for name, docstring in docstrings.items():
            assert '.. math::' in docstring, name
        if 'Sec.' not in cells[0]:  # Of what the paper says without an equation.
            numbers = sorted(numbers_in(cells[0]))
            (name, docstring), = docstrings.items()
            missing = set(numbers) - shown_numbers(docstring, PAPERS[method])
            assert not missing, f'{name} does not show {PAPERS[method]}, Eq. {missing}'
            found += numbers
    assert found == list(range(1, last + 1))


@pytest.mark.parametrize('docstring, shown', [
    ('FSAE, Eqs. 8 and 9 (with more):\n\n.. math::\n    x', {8, 9}),
    ('ESOL, Eq. 1, and FSAE,\nEqs. 2, 3 and 5 to 7:\n\n.. math::\n    x',
     {2, 3, 5, 6, 7}),
    ('ESOL, Eq. 1:\n\n.. math::\n    x', set()),
    ('FSAE, Eq. 1.\n\nMore.\n\n.. math::\n    x', set()),
    ('FSAE, Eq. 1, in words.', set())])
def test_number_stands_above_its_formula(docstring, shown):
    assert shown_numbers(docstring, 'FSAE') == shown


@pytest.mark.parametrize('project', [
    'clip_es', 'eps_ppc', 'mctformer', 'sipe', 'weclip'])
def test_tables_of_projects(project):
    readme = PROJECTS / project / 'README.md'
    if not readme.exists():
        pytest.skip('an install has no projects')
    rows = list(table_of(readme))
    assert rows
    for cells, docstrings in rows:
        assert docstrings, cells
        for name, docstring in docstrings.items():
            assert '.. math::' in docstring, name
