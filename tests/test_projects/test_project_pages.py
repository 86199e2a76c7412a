# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""What the README and the metafile of a project say of its files."""

import re
from pathlib import Path

import pytest
import yaml
from project_configs import ROOT, ProjectConfigs

PROJECTS = sorted(path.parent for path in ROOT.glob('projects/*/metafile.yml'))
# Of these the README names the families alone.
UNNAMED = ('official', 'demo', 'animals')


@pytest.mark.parametrize('folder', PROJECTS, ids=lambda path: path.name)
def test_metafile_and_readme(folder):
    metafile = yaml.safe_load((folder / 'metafile.yml').read_text())
    names = {one['Name'] for one in metafile['Collections']}
    for model in metafile['Models']:
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
        assert model['In Collection'] in names
    readme = (folder / 'README.md').read_text()
    for path in re.findall(r'\]\((?!http)([^)#]+)', readme):
        assert (folder / path).exists(), path
    networks = ProjectConfigs(folder.name).networks
    assert {name for name in networks if not name.endswith(UNNAMED)} <= set(
        re.findall(r'`([\w-]+)`', readme))
    assert set(re.findall(r'^\| `(\w[\w-]+)` \|', readme, re.MULTILINE)) <= set(
        networks)
