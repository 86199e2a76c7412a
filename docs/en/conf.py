# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Settings of Sphinx; ``docs/en/build.py`` gathers the pages."""

import mmwsss

project = 'mmwsss'
author = 'mmwsss contributors'
copyright = author
version = release = mmwsss.__version__
html_theme = 'furo'
html_title = f'mmwsss {version}'
root_doc = 'README'
extensions = [
    'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.mathjax', 'myst_parser'
]
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}
myst_enable_extensions = ['colon_fence']
# Links to headings, as GitHub makes them.
myst_heading_anchors = 4
# A README may begin below its title.
suppress_warnings = ['myst.header']
nitpicky = False
# Docstrings tell types with shapes and units.
autodoc_typehints = 'none'
autodoc_member_order = 'bysource'
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
