# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

from mmwsss.utils import project_path


def test_benchmark_fsae():
    result = subprocess.run(
        [sys.executable,
         project_path('tools', 'analysis_tools', 'benchmark_fsae.py'),
         project_path('configs', 'fsae', 'fsae_esol_demo.py'),
         '--size', '64', '--runs', '2'],
        check=True, capture_output=True, text=True)
    assert re.search(r'FSAE / base: \d', result.stdout)
    assert re.search(r'twice the photos: \d', result.stdout)
    assert re.search(r'strong view .* \d', result.stdout)
