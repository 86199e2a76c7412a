#!/usr/bin/env bash
# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
#
# Make a virtual environment with everything mmwsss needs, or do nothing where
# it is already there.
#
#   install.sh .venv requirements/lock.txt               the maintained packages
#   install.sh .venv-upstream requirements/upstream.txt  the original OpenMMLab
#
# PYTHON=... chooses the interpreter, WITH_CRF=0 leaves out the dense CRF.
# A stamp in the environment, written last, remembers what was installed.
set -u -o pipefail

venv=$1
lock=$2
cd "$(dirname "$0")/.." || exit 1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_REQUIRE_VIRTUALENV=1
export PYTHONNOUSERSITE=1
# Without byte code every later start would take three times as long.
unset PYTHONPATH PYTHONDONTWRITEBYTECODE

say() { echo "mmwsss: $*" >&2; }
fail() {
    say "$1"
    shift
    printf '  %s\n' "$@" >&2
    exit 1
}

# step TITLE ADVICE COMMAND...: run quietly, show the output only if it fails.
step() {
    local title=$1 advice=$2 log="$venv/install.log"
    shift 2
    say "$title"
    if ! "$@" </dev/null >"$log" 2>&1; then
        tail -n 25 "$log" >&2
        fail "FAILED: $title" "$advice" \
            "The output above is the end of $log. Run the command again to retry."
    fi
}

# One installation at a time.
if command -v flock >/dev/null; then
    exec 9<"$0"
    flock 9
fi

# --- Is it there? -----------------------------------------------------------
fingerprint() {
    {
        pwd -P
        cat "$lock" requirements/*.txt pyproject.toml setup.py \
            .dev_scripts/install.sh
    } | cksum
}
stamp="$venv/mmwsss.stamp"
up_to_date() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ] &&
        "$venv/bin/python" -c '' 2>/dev/null
}

# --- A Python ---------------------------------------------------------------
if [ "$lock" = requirements/upstream.txt ]; then
    candidates='python3.11 python3.10 python3'
    versions='(3, 10) <= sys.version_info[:2] <= (3, 11)'
    wanted='3.10 or 3.11'
else
    candidates='python3.12 python3.11 python3.10 python3'
    versions='(3, 10) <= sys.version_info[:2] <= (3, 12)'
    wanted='3.11 or 3.12 (3.10 works too)'
fi
# Candidates are run, not only looked up: a pyenv shim may exist and fail.
right_version() { "$1" -c "import sys; sys.exit(not ($versions))" 2>/dev/null; }
has_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }
has_headers() {
    "$1" -c "import os, sys, sysconfig
path = os.path.join(sysconfig.get_path('include'), 'Python.h')
sys.exit(not os.path.exists(path))" 2>/dev/null
}

find_python() {
    local name wanting_venv=
    if [ -n "${PYTHON:-}" ]; then
        right_version "$PYTHON" || fail \
            "PYTHON=$PYTHON is not a working Python $wanted." \
            'Name another one: make PYTHON=/path/to/python3.11'
        candidates=$PYTHON
    fi
    python=
    for name in $candidates; do
        right_version "$name" || continue
        if ! has_venv "$name"; then
            wanting_venv=${wanting_venv:-$name}
        elif has_headers "$name"; then
            python=$name
            return
        else
            python=${python:-$name}
        fi
    done
    [ -n "$python" ] && return
    [ -n "$wanting_venv" ] && fail \
        "$wanting_venv cannot make virtual environments (no venv or ensurepip)." \
        "Debian, Ubuntu: sudo apt install $(basename "$wanting_venv")-venv"
    fail "No usable Python $wanted was found (tried: $candidates)." \
        'Debian, Ubuntu: sudo apt install python3 python3-venv python3-dev' \
        'Or name one: make PYTHON=/path/to/python3.11'
}

# --- The packages -----------------------------------------------------------
install_packages() {
    local free pip network with_ops title
    pip=("$venv/bin/python" -m pip install -q --no-compile)
    network='Is there a network, and room on the disk? A mirror of the package index is named by PIP_INDEX_URL.'
    # An environment without a stamp is the rest of a broken installation.
    if [ ! -f "$stamp" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
        free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
        [ "$free" -ge 7 ] || fail \
            "Only $free GB are free here; PyTorch with CUDA needs about 6 GB." \
            'Make room, or put the environment elsewhere: make VENV=/path/to/venv'
        find_python
        say "making $venv with $("$python" -V) ($python)"
        "$python" -m venv --clear "$venv" </dev/null || fail \
            "Could not make the virtual environment $venv." \
            'Debian, Ubuntu: sudo apt install python3-venv' \
            'Or name another Python: make PYTHON=/path/to/python3.11'
    fi
    rm -f "$stamp"

    step 'installing PyTorch (a 3 GB download; a minute or more)' "$network" \
        "${pip[@]}" -c "$lock" torch torchvision setuptools wheel
    if [ "$lock" = requirements/upstream.txt ]; then
        # mmsegmentation 1.2.2 imports mmcv.ops, which has to be compiled.
        find_compiler
        [ -n "$compiler" ] || fail 'mmcv 2.1.0 needs a C++ compiler to build.' \
            'Debian, Ubuntu: sudo apt install build-essential python3-dev'
        with_ops=1
        title='building mmcv 2.1.0, installing the rest (10 minutes or more)'
    else
        with_ops=0
        title='installing the OpenMMLab packages and the rest (a minute)'
    fi
    step "$title" "$network" env MMCV_WITH_OPS=$with_ops \
        "${pip[@]}" --no-deps --no-build-isolation -r "$lock"
    step 'installing mmwsss itself' "$network" \
        "${pip[@]}" --no-deps --no-build-isolation -e .
    # Also byte-compiles what is used, which the quick installation left out.
    step 'checking that it imports' \
        'Please report this with the output above.' \
        "$venv/bin/python" -c 'import cv2, mmpretrain, mmseg.apis, mmwsss.apis, mmwsss.pipeline, timm'
    fingerprint >"$stamp"
}

# --- Dense CRF --------------------------------------------------------------
find_compiler() {
    local name
    compiler=
    for name in ${CXX:-} c++ g++ clang++; do
        command -v "$name" >/dev/null && compiler=$name && return
    done
}

install_crf() {
    local lacking
    [ "${WITH_CRF:-1}" = 1 ] || return 0
    [ -e "$(echo "$venv"/lib/python3*/site-packages/pydensecrf/__init__.py)" ] &&
        return
    find_compiler
    lacking=
    [ -n "$compiler" ] || lacking='C++ compiler (apt install build-essential)'
    has_headers "$venv/bin/python" || lacking=${lacking:-'Python headers (apt install python3-dev)'}
    if [ -n "$lacking" ]; then
        say "going on WITHOUT dense CRF: this machine has no $lacking."
        return
    fi
    step 'building pydensecrf (half a minute)' \
        'To go on without dense CRF: make WITH_CRF=0 ...' \
        env CC="${CC:-$compiler}" CXX="$compiler" CYTHON_FORCE_REGEN=1 \
        PIP_CONSTRAINT=requirements/build.txt \
        PIP_BUILD_CONSTRAINT=requirements/build.txt \
        "$venv/bin/python" -m pip install -q --no-compile --no-deps \
        "$(grep -h '^pydensecrf==' requirements/optional.txt)"
}

up_to_date || install_packages
install_crf
