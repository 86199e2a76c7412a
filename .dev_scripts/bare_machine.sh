#!/usr/bin/env bash
# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
#
# Run make targets on a bare Debian: no compiler, no Python headers, no cache.
#
#   sudo .dev_scripts/bare_machine.sh bookworm /tmp/bare12              demo test
#   sudo .dev_scripts/bare_machine.sh trixie   /tmp/bare13 TORCH=cpu    demo
#
# RELEASE, a folder for the system (made with debootstrap, kept for the next
# run; needs 15 GB) and the arguments of make: settings go to every target.
# The commit that is checked out is cloned into the system and installed and
# run there by an ordinary user. pip is configured as for the caller; folders of
# this machine that it names are not seen in there. Set MIRROR to take Debian
# from elsewhere than this machine does.
set -eu -o pipefail

say() { echo "bare machine: $*" >&2; }
fail() { say "$*"; exit 1; }

[ $# -ge 3 ] || { sed -n 's/^# \{0,1\}//p' "$0" | sed -n '3,15p'; exit 2; }
[ "$(id -u)" = 0 ] || fail 'chroot and debootstrap need root.'
command -v debootstrap >/dev/null || fail 'apt install debootstrap'
# Mounts and processes of their own, which end with this script in any case.
if [ -z "${BARE_INSIDE:-}" ]; then
    BARE_INSIDE=1 exec unshare --mount --pid --fork --kill-child \
        --propagation private "$0" "$@"
fi

source_dir=$(cd "$(dirname "$0")/.." && pwd)
release=$1
root=$2
shift 2
mkdir -p "$root"
root=$(cd "$root" && pwd)
[ "$root" != / ] || fail 'the folder must not be /'

# --- The system -------------------------------------------------------------
if ! [ -f "$root/bare-machine" ]; then
    if [ -z "${MIRROR:-}" ] && command -v apt-get >/dev/null; then
        MIRROR=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' |
            awk '$1 == "Debian" && $2 !~ /security/ { print $3; exit }')
        proxy=$(apt-config shell proxy Acquire::http::Proxy)
        eval "$proxy"
        [ -z "${proxy:-}" ] || export http_proxy=${http_proxy:-$proxy}
    fi
    say "making $root"
    debootstrap --variant=minbase \
        --include=git,make,python3-venv,ca-certificates \
        "$release" "$root" "${MIRROR:-http://deb.debian.org/debian}" \
        >"$root.log" 2>&1 || { tail "$root.log" >&2; fail "see $root.log"; }
    touch "$root/bare-machine"
fi

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"

# --- The network, as the caller has it ---------------------------------------
give() {
    [ -f "$1" ] || return 0
    mkdir -p "$root$(dirname "$2")"
    cp -L "$1" "$root$2"
    chmod a+r "$root$2"
}
user=visitor
user_home=/srv/$user
checkout=$user_home/mmwsss
chroot "$root" id "$user" >/dev/null 2>&1 ||
    chroot "$root" useradd --create-home --home-dir "$user_home" "$user"
give /etc/resolv.conf /etc/resolv.conf
give /etc/hosts /etc/hosts
give /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
give /etc/pip.conf /etc/pip.conf
give "$HOME/.pip/pip.conf" "$user_home/.pip/pip.conf"
give "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "$user_home/.config/pip/pip.conf"
give "$HOME/.netrc" "$user_home/.netrc"
settings=()
while IFS= read -r setting; do
    name=${setting%%=*} value=${setting#*=}
    if [ -f "$value" ]; then
        give "$value" "/srv/given$value"
        value=/srv/given$value
    fi
    settings+=("$name=$value")
done < <("$source_dir/.dev_scripts/clean_env.sh" env |
    grep -E '^(PIP_|TORCH_|NETRC|SSL_|REQUESTS_|CURL_|.*_(PROXY|proxy)=)')

# --- The checkout -------------------------------------------------------------
rm -rf "${root:?}$checkout"
git clone -q --no-hardlinks "$source_dir" "$root$checkout"
chroot "$root" chown -R "$user:" "$user_home"
git -C "$source_dir" diff --quiet HEAD || say 'changes without a commit are left out'

inside() {
    chroot --userspec="$user:$user" "$root" /usr/bin/env -i \
        HOME="$user_home" USER="$user" LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin \
        "${settings[@]}" sh -c "cd '$checkout' && $1" sh "${@:2}"
}
say "$(inside '. /etc/os-release; echo "$PRETTY_NAME, $(python3 -V), $(git log -1 --format=%h)"'), $(nproc) cores"
for name in cc c++ gcc g++ clang clang++ tcc; do
    inside 'command -v "$1"' "$name" && fail "there is a compiler: $name"
done
[ -z "$(find "$root/usr" -name Python.h)" ] || fail 'there are Python headers'

# --- The targets ----------------------------------------------------------------
options=()
targets=(install)
for argument in "$@"; do
    case $argument in *=*) options+=("$argument") ;; install) ;; *) targets+=("$argument") ;; esac
done
for target in "${targets[@]}"; do
    SECONDS=0
    status=0
    inside 'make "$@" </dev/null' "$target" "${options[@]}" >&2 || status=$?
    printf 'make %-10s status %d  %d:%02d min\n' \
        "$target" "$status" $((SECONDS / 60)) $((SECONDS % 60))
    [ "$status" = 0 ] || exit "$status"
done
inside 'du -sh .venv'
