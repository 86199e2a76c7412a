# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Build the documentation site: guide, methods, model zoo and API reference.

The pages are the Markdown files of the repository, where they are, and keep their
places in the site, so that links between them work here and there. The model zoo is
made of the metafiles, the API reference of the docstrings.

Example:
    python docs/en/build.py docs/_build
"""

from __future__ import annotations

import argparse
import glob
import importlib
import os
import os.path as osp
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

import mmwsss

ROOT = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
LINK = re.compile(r'(!?\[[^\]]*\]\()([^)#\s]+)(#[^)]*)?(\))')
PAGES = ('*.md', 'demo/*.md', 'docs/en/*.md', 'configs/*/*.md', 'projects/*.md',
         'projects/*/*.md')
GUIDE = ('install', 'own_photos', 'when_tags_fail', 'voc', 'coco', 'recipes',
         'scale', 'in_and_out', 'visualization', 'reliability', 'protocol', 'results',
         'performance', 'new_method')


def find(*patterns: str) -> list[str]:
    """The repository's files that fit one of some patterns."""
    return sorted(path for pattern in patterns
                  for path in glob.glob(pattern, root_dir=ROOT))


def link(page: str, target: str, pages: set[str]) -> tuple[str, str | None]:
    """What a page of the site links to instead, and the file that it then needs.

    A folder stands for its README; a file that is no page is a download.
    """
    if re.match(r'[a-z]+:', target):
        return target, None
    path = osp.normpath(osp.join(osp.dirname(page), target))
    if osp.isdir(osp.join(ROOT, path)):
        readme = osp.join(path, 'README.md')
        if readme not in pages:
            # Such as configs/, whose methods the menu lists.
            readme = 'docs/en/model_zoo.md'
        return osp.relpath(readme, osp.dirname(page) or '.'), None
    return target, None if path in pages else path


def copy_page(page: str, source: str, pages: set[str]) -> None:
    """Write a page to the site's source, and the files that it links to."""
    with open(osp.join(ROOT, page), encoding='utf-8') as file:
        text = file.read()

    def replace(match: re.Match[str]) -> str:
        target, needed = link(page, match[2], pages)
        if needed and osp.isfile(osp.join(ROOT, needed)):
            os.makedirs(osp.join(source, osp.dirname(needed)), exist_ok=True)
            shutil.copy(osp.join(ROOT, needed), osp.join(source, needed))
        return f'{match[1]}{target}{match[3] or ""}{match[4]}'

    write(source, page, LINK.sub(replace, text))


def write(source: str, name: str, text: str) -> None:
    """Write a page that begins with ``text``, or goes on with it."""
    path = osp.join(source, name)
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'a', encoding='utf-8') as file:
        file.write(text)


def model_zoo(pages: set[str]) -> str:
    """The page of all models, as the metafiles tell them."""
    lines = ['# Model zoo', '',
             'Each config of a method, and what has been measured with it: numbers '
             'that were published by others stand in the README of the method.', '']
    for metafile in find('configs/*/metafile.yml', 'projects/*/metafile.yml'):
        with open(osp.join(ROOT, metafile), encoding='utf-8') as file:
            meta = yaml.safe_load(file)
        readme = osp.join(osp.dirname(metafile), 'README.md')
        for collection in meta['Collections']:
            name, paper = collection['Name'], collection.get('Paper') or {}
            title = f'[{name}](../../{readme})' if readme in pages else name
            lines += [f'## {title}', '']
            if paper:
                lines += [f'[{paper["Title"]}]({paper["URL"]})', '']
            models = [model for model in meta.get('Models') or []
                      if model['In Collection'] == name]
            if models:
                lines += ['| Config | Data | Measured here |', '| --- | --- | --- |']
            lines += [model_row(model) for model in models]
            lines.append('')
    return '\n'.join(lines)


def model_row(model: dict) -> str:
    """A model's row of the table."""
    results = model.get('Results') or []
    data = ', '.join(dict.fromkeys(result['Dataset'] for result in results))
    numbers = ', '.join(f'{key} {value}' for result in results
                        for key, value in result['Metrics'].items())
    return f'| `{model["Config"]}` | {data} | {numbers} |'


def api_pages() -> dict[str, str]:
    """Page by package: what it exports."""
    pages = {}
    names = [mmwsss.__name__, *(
        module.name for module in pkgutil.walk_packages(mmwsss.__path__, 'mmwsss.')
        if module.ispkg)]
    for package in names:
        if getattr(importlib.import_module(package), '__all__', None):
            line = '=' * len(package)
            pages[f'api/{package}.rst'] = (
                f'{package}\n{line}\n\n.. automodule:: {package}\n   :members:\n'
                '   :show-inheritance:\n')
    return pages


def menu(title: str, pages: list[str]) -> str:
    """A part of the site's menu, at the end of its first page."""
    return '\n'.join(['', f'```{{toctree}}\n:hidden:\n:caption: {title}\n', *pages,
                      '```', ''])


def gather(source: str) -> None:
    """Write the site's source."""
    pages = {*find(*PAGES), 'docs/en/model_zoo.md'}
    for page in sorted(pages - {'docs/en/model_zoo.md'}):
        copy_page(page, source, pages)
    write(source, 'docs/en/model_zoo.md', model_zoo(pages))
    api = api_pages()
    for page, text in api.items():
        write(source, page, text)
    methods = sorted(page for page in pages if re.match(r'configs/\w+/README', page))
    projects = sorted(page for page in pages if page.startswith('projects/'))
    write(source, 'README.md', ''.join([
        menu('Guide', ['docs/en/README.md', *(f'docs/en/{page}.md' for page in GUIDE),
                       'demo/README.md']),
        menu('Methods', ['docs/en/model_zoo.md', *methods]),
        menu('Projects', projects),
        menu('API', sorted(api)),
        menu('About', ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'])]))


def main() -> int:
    """Build the site; any warning of Sphinx is an error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out', help='folder of the site')
    out = osp.abspath(parser.parse_args().out)
    with tempfile.TemporaryDirectory() as source:
        gather(source)
        status = subprocess.call([
            sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-c',
            osp.join(ROOT, 'docs', 'en'), source, out
        ])
    if status == 0:
        with open(osp.join(out, 'index.html'), 'w', encoding='utf-8') as file:
            file.write('<meta http-equiv="refresh" content="0; url=README.html">\n')
        print(f'{out}/index.html')
    return status


if __name__ == '__main__':
    sys.exit(main())
