# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
"""Starting up: importing everything at once against importing what is used.

``import mmwsss`` and ``--help`` stand against the same after all of mmwsss, and
with it torch and mmseg, is imported. A step of a pipeline, which imports all of it
and does nothing, stands against itself as a fork of the pipeline's server.
"""

import argparse
import os.path as osp
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from mmwsss.recipes.process import StepProcesses
from mmwsss.utils import project_path

from .timing import alternate, ratio_row

EVERYTHING = 'import mmwsss.preload'
TOOLS = ('train.py', 'generate_seeds.py', 'pipeline.py')


def compare(args: argparse.Namespace) -> Iterator[dict]:
    """One row for each way to start; only ``args.runs`` counts.

    Args:
        args (argparse.Namespace): The options of ``benchmark.py``.

    Yields:
        dict: Of :func:`ratio_row`.
    """
    yield _row('import mmwsss', args, lambda: _python('-c', EVERYTHING),
               lambda: _python('-c', 'import mmwsss'))
    for name in TOOLS:
        tool = project_path('tools', name)
        after = (f'{EVERYTHING}\nimport runpy\n'
                 f'runpy.run_path({tool!r}, run_name="__main__")')
        yield _row(f'{name} --help', args, lambda: _python('-c', after, '--help'),  # noqa: B023
                   lambda: _python(tool, '--help'))  # noqa: B023
    with tempfile.TemporaryDirectory() as folder:
        script = osp.join(folder, 'step.py')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(EVERYTHING)
        new, served = (
            StepProcesses(osp.join(folder, str(preload)), preload)
            for preload in (False, True))
        with new, served:
            _step(served, script)  # The server's own start is that of one step.
            yield _row('a step that does nothing', args,
                       lambda: _step(new, script), lambda: _step(served, script))


def _row(case: str, args: argparse.Namespace, everything, ours) -> dict:
    seconds, _ = alternate({'everything': everything, 'mmwsss': ours}, args.runs,
                           'wall', warm_up=min(1, args.runs - 1))
    return ratio_row('startup', case, seconds, 'everything', 'mmwsss')


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE)


def _step(processes: StepProcesses, script: str) -> None:
    log = osp.join(processes.folder, 'log.txt')
    status = processes.run([sys.executable, script], log, lambda line: None,
                           lambda: None, is_script=True)
    if status:
        raise RuntimeError(f'the step failed with status {status}')
