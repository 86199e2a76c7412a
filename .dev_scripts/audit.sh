#!/usr/bin/env bash
# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
#
# Ask pypi.org for known vulnerabilities of the pinned packages, by pip-audit:
#
#   audit.sh .venv requirements/lock.txt
#
# Mirrors of the package index hold no advisories; where pypi.org itself is not
# reached, the audit is left out, and said to be.
set -eu

venv=$1
lock=$2
# An old version with advisories, so that their absence tells a mirror.
if ! "$venv/bin/python" - 2>/dev/null <<'PROBE'; then
import json
from urllib.request import urlopen
page = urlopen('https://pypi.org/pypi/pillow/9.0.0/json', timeout=10)
assert json.load(page)['vulnerabilities']
PROBE
    echo "mmwsss: $lock is not audited: pypi.org cannot be asked for advisories" >&2
    exit 0
fi
if ! [ -x "$venv/audit/bin/pip-audit" ]; then
    "$venv/bin/python" -m venv "$venv/audit"
    "$venv/audit/bin/python" -m pip install -q pip-audit
fi
"$venv/audit/bin/pip-audit" --no-deps --disable-pip -r "$lock"
