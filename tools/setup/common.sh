#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What host.sh and fetch_arm64.sh share: plain messages, the machine's own Debian mirror, polite retries.
# Sourced, not run.

# shellcheck disable=SC2034  # used by those who source this file
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$ROOT/build
CACHE=$BUILD/cache

say()  { printf 'setup: %s\n' "$*"; }
warn() { printf 'setup: warning: %s\n' "$*" >&2; }

# die CAUSE CURE: every failure names both.
die()
{
    printf 'setup: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'setup: cure:  %s\n' "$2" >&2
    exit 1
}

NETWORK_CURE="see that this machine reaches its Debian mirror (try 'apt-get update'; behind a proxy set http_proxy), then run this again: what is done is kept"

# The release this machine runs (bookworm, trixie ...).
host_codename()
{
    (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
}

# The URI of the mirror that this machine's own apt uses for the main archive. Read at run time, so that no
# host's name stands in the repository.
mirror_uri()
{
    local codename
    codename=$(host_codename)
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v rel="$codename" '$1 == rel && $2 == "main" { print $3; exit }'
}

# "[signed-by=...] " for a source line, when Debian's keyring is where its package puts it.
signed_by()
{
    local ring
    for ring in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
        if [ -r "$ring" ]; then
            printf '[signed-by=%s] ' "$ring"
            return
        fi
    done
}

# retry COMMAND...: three tries with a growing pause, for mirrors that have a bad moment.
retry()
{
    local try
    for try in 1 2 3; do
        if "$@"; then
            return 0
        fi
        [ "$try" = 3 ] || { warn "that failed; next try in $((try * 5)) s"; sleep $((try * 5)); }
    done
    return 1
}
