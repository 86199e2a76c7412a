#!/usr/bin/env bash
# Copyright (c) mmwsss contributors. SPDX-License-Identifier: Apache-2.0
#
# Run a command in an environment with little more than what reaches the package
# index, so that nothing on a developer's machine helps an installation.
#
#   clean_env.sh make test
#   clean_env.sh env         shows what is kept
set -eu

keep='HOME|USER|PATH|LANG|TMPDIR|PYTHON|XDG_CONFIG_HOME|XDG_CONFIG_DIRS'
keep+='|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT'
keep+='|CLIENT_CERT|PROXY|CONFIG_FILE|DEFAULT_TIMEOUT|TIMEOUT|RETRIES'
keep+='|KEYRING_PROVIDER)|TORCH_INDEX_URL|NETRC'
keep+='|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE'
keep+='|(HTTP|HTTPS|ALL|NO|http|https|all|no)_(PROXY|proxy)'

kept=()
for name in $(compgen -e); do
    if [[ $name =~ ^($keep)$ ]]; then
        kept+=("$name=${!name}")
    fi
done
exec env -i PIP_NO_CACHE_DIR=1 "${kept[@]}" "$@"
