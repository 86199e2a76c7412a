# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""The comparisons of ``benchmark.py``, one file each.

A file offers ``compare(args)``, which yields rows of :func:`timing.ratio_row`, and
says in its docstring what stands against what. ``args`` are the options of
``benchmark.py``. A comparison whose reference is not installed raises an
ImportError that names it: the others go on.
"""

COMPARISONS = ('startup', 'crf', 'workers', 'walk', 'pamr', 'offset_conv', 'sweep',
               'seeds', 'sance', 'fsae')
