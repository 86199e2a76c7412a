#!/usr/bin/env bash
# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
#
# Make a virtual environment with everything mmwsss needs, or do nothing where
# it is already there.
#
#   install.sh .venv requirements/lock.txt               the maintained packages
#   install.sh .venv-upstream requirements/upstream.txt  the original OpenMMLab
#
# PYTHON=... chooses the interpreter. TORCH=cpu takes PyTorch's wheels without
# CUDA from the user's package index or from TORCH_INDEX_URL, TORCH=default
# those of the index; without TORCH an environment keeps what it has.
# A stamp in the environment, written last, remembers what was installed.
set -u -o pipefail

venv=$1
lock=$2
cd "$(dirname "$0")/.." || exit 1
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_REQUIRE_VIRTUALENV=1
export PYTHONNOUSERSITE=1 PIP_USER=0
# Without byte code every later start would take three times as long.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PIP_TARGET PIP_PREFIX PIP_ROOT

say() { echo "mmwsss: $*" >&2; }
fail() {
    say "$1"
    shift
    [ $# = 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# One installation at a time.
if command -v flock >/dev/null; then
    exec 9<"$0"
    flock -n 9 || { say 'waiting for another installation to end'; flock 9; }
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
# Which PyTorch the environment has; also marks it as one made here.
mark="$venv/mmwsss.torch"
had=$(cat "$mark" 2>/dev/null)
torch=${TORCH:-${had:-default}}
whole() { [ -f "$stamp" ] && "$venv/bin/python" -c '' 2>/dev/null; }
up_to_date() {
    [ "$torch" = "$had" ] && whole && [ "$(cat "$stamp")" = "$(fingerprint)" ]
}

# --- A Python ---------------------------------------------------------------
if [ "$lock" = requirements/upstream.txt ]; then
    candidates='python3.11 python3.10 python3'
    versions='(3, 10) <= sys.version_info[:2] <= (3, 11)'
    wanted='3.10 or 3.11'
else
    candidates='python3.12 python3.11 python3.13 python3.10 python3'
    versions='(3, 10) <= sys.version_info[:2] <= (3, 13)'
    wanted='3.10 to 3.13'
fi
# Candidates are run, not only looked up: a pyenv shim may exist and fail.
right_version() { "$1" -c "import sys; sys.exit(not ($versions))" 2>/dev/null; }
has_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }
version_of() { "$1" -V 2>/dev/null || echo 'does not start'; }

find_python() {
    local name wanting_venv=
    if [ -n "${PYTHON:-}" ]; then
        right_version "$PYTHON" || fail \
            "PYTHON=$PYTHON is not a working Python $wanted ($(version_of "$PYTHON"))." \
            'Name another one: make PYTHON=/path/to/python3.11'
        candidates=$PYTHON
    fi
    for name in "${PYTHON:-}" $candidates; do
        [ -n "$name" ] && right_version "$name" || continue
        if has_venv "$name"; then
            python=$name
            return
        fi
        wanting_venv=${wanting_venv:-$name}
    done
    [ -z "$wanting_venv" ] || fail \
        "$wanting_venv cannot make virtual environments (no venv or ensurepip)." \
        "Debian, Ubuntu: sudo apt install $(basename "$wanting_venv")-venv"
    fail "No usable Python $wanted was found (python3: $(version_of python3))." \
        'Debian, Ubuntu: sudo apt install python3 python3-venv' \
        'Or name one: make PYTHON=/path/to/python3.11'
}

# --- Its folder -------------------------------------------------------------
free_mb() { df -Pk "$venv" | awk 'NR == 2 { print int($4 / 1024) }'; }

# Everything but the mark, so that an interrupted removal is known as ours.
empty_venv() { find "$venv/" -mindepth 1 ! -name mmwsss.torch -delete; }

make_venv() {
    local needed=8000 holds='PyTorch with CUDA'
    [ "$torch" = default ] || { needed=3000; holds='PyTorch'; }
    find_python
    if ! { mkdir -p "$venv" && [ -w "$venv" ] && [ -x "$venv" ]; } 2>/dev/null; then
        fail "The folder $venv cannot be written." \
            'Name another one: make VENV=/path/to/venv'
    fi
    # Somebody else's folder is not emptied.
    if [ -n "$(ls -A "$venv")" ] && ! [ -f "$mark" ] &&
        ! [ -f "$venv/install.log" ]; then
        fail "The folder $venv is not empty and not an environment made here." \
            'Remove it, or name another one: make VENV=/path/to/venv'
    fi
    say "making $venv with $("$python" -V) ($python)"
    echo "$torch" 2>/dev/null >"$mark" && empty_venv
    [ "$(free_mb)" -ge "$needed" ] || fail \
        "$venv has $(free_mb) MB of free disk; installing $holds needs $needed." \
        'Make room, or put the environment elsewhere: make VENV=/path/to/venv'
    step 'making the virtual environment' \
        'Name another Python: make PYTHON=/path/to/python3.11' \
        "$python" -m venv "$venv"
}

# --- The packages -----------------------------------------------------------
# Of what pip wrote, the cause in one sentence, if it is a known one.
cause() {
    local missing
    missing=$(sed -n 's/.*No matching distribution found for \([^ ]*\).*/\1/p' "$1" |
        head -n 1)
    if grep -qiE 'No space left on device|Disk quota exceeded' "$1"; then
        echo "The disk of $venv or of the temporary files (${TMPDIR:-/tmp}) is full."
    elif grep -q 'CERTIFICATE_VERIFY_FAILED' "$1"; then
        echo "The package index's certificate is not trusted here: PIP_CERT names another file of certificates."
    elif grep -qE 'NewConnectionError|NameResolutionError|name resolution|ConnectTimeout|ReadTimeout|ProxyError|Connection (refused|reset)|unreachable' "$1"; then
        echo 'The package index cannot be reached: is there a network?'
    elif [ -n "$missing" ]; then
        echo "The package index has no wheel of $missing for $("$venv/bin/python" -V) on $(uname -m)."
    fi
}

# step TITLE ADVICE COMMAND...: run quietly, tell the cause if it fails.
step() {
    local title=$1 advice=$2 log="$venv/install.log" known
    shift 2
    say "$title"
    title=${title%% (*}
    "$@" </dev/null >"$log" 2>&1 && return
    known=$(cause "$log" 2>/dev/null)
    [ -n "$known" ] || tail -n 25 "$log" >&2
    case $known in
    *' is full.')
        empty_venv
        advice='Make room, or put the environment elsewhere: make VENV=/path/to/venv'
        ;;
    *) advice="$advice"$'\n'"  All that pip said is in $log." ;;
    esac
    fail "FAILED: $title${known:+. $known}" "$advice" \
        'Run the command again to retry.'
}

pin() { sed -n "s/^\($1==[^ ;]*\).*/\1/p" "$lock"; }

install_packages() {
    local pip wheels advice builds=()
    case $torch in
    cpu | default) ;;
    *) fail "TORCH=$torch is unknown: TORCH=cpu or TORCH=default." ;;
    esac
    # An environment without a stamp is the rest of a broken installation.
    if ! whole || [ "$torch" != "${had:-default}" ]; then
        make_venv
    fi
    rm -f "$stamp"
    echo "$torch" >"$mark"

    # Some gigabytes pass through here; /tmp is often small.
    if [ -z "${TMPDIR:-}" ]; then
        export TMPDIR="$PWD/$venv/tmp"
        [ "${venv#/}" = "$venv" ] || TMPDIR=$venv/tmp
        mkdir -p "$TMPDIR"
        trap 'rm -rf "$TMPDIR"' EXIT
    fi
    # Builds see this file too, wherever they run; older versions of pip read
    # the first name, newer ones the second. As URL: pip splits at spaces.
    PIP_CONSTRAINT=$("$venv/bin/python" -c \
        'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' \
        "$lock")
    export PIP_CONSTRAINT PIP_BUILD_CONSTRAINT="$PIP_CONSTRAINT"
    # Builds see no torch, else mmcv compiles its operators for half an hour.
    # (1 stands for "isolated": pip stores the value as it is.)
    export PIP_NO_BUILD_ISOLATION=1
    # Where a wheel is missing pip shall say so, and not start a compiler. The
    # OpenMMLab packages and one of Snakemake's come as source without anything to
    # compile.
    wheels=$(sed -n '/^\(onedl-\)\{0,1\}mm/d; /^connection-pool/d; s/^\([A-Za-z0-9_-]*\)==.*/\1/p' "$lock" |
        paste -sd, -)
    pip=("$venv/bin/python" -m pip install -q --no-compile --only-binary "$wheels")
    advice='PIP_INDEX_URL names a mirror of the package index, HTTPS_PROXY a proxy.'

    if [ "$torch" = cpu ]; then
        # What it depends on is in the lock file, which names another torch.
        step 'installing PyTorch without CUDA (a 200 MB download)' \
            "Name an index that has these wheels by TORCH_INDEX_URL (now ${TORCH_INDEX_URL:-only your own}), or take the usual ones: TORCH=default." \
            env -u PIP_CONSTRAINT "${pip[@]}" --no-deps \
            ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
            "$(pin torch)+cpu" "$(pin torchvision)+cpu"
    else
        step 'installing PyTorch (a 3 GB download; a minute or more)' "$advice" \
            "${pip[@]}" torch torchvision
    fi
    if [ "$lock" = requirements/upstream.txt ]; then
        # mmsegmentation 1.2.2 imports mmcv.ops, which has to be compiled.
        command -v "${CXX:-c++}" >/dev/null || fail \
            'mmcv 2.1.0 needs a C++ compiler to build.' \
            'Debian, Ubuntu: sudo apt install build-essential python3-dev'
        step 'installing build tools' "$advice" "${pip[@]}" setuptools wheel
        export MMCV_WITH_OPS=1
        builds=(--no-build-isolation)
        say 'mmcv is compiled now: 10 minutes or more'
    fi
    step 'installing the OpenMMLab packages and the rest (a minute)' "$advice" \
        "${pip[@]}" --no-deps "${builds[@]}" -r "$lock"
    step 'installing mmwsss itself' "$advice" \
        "${pip[@]}" --no-deps --no-build-isolation -e .
    # Also byte-compiles what is used, which the quick installation left out.
    step 'checking that it imports' \
        'Please report this with the output above.' \
        "$venv/bin/python" -c 'import cv2, mmpretrain, mmseg.apis, mmwsss.apis, mmwsss.recipes, timm'
    fingerprint >"$stamp"
}

up_to_date || install_packages
