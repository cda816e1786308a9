#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What host.sh, fetch_arm64.sh and fetch_qemu.sh share: plain messages, the machine's own Debian mirror, an apt of
# their own, polite retries.
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

# private_apt STATE ARCHITECTURE: an apt of its own in the directory STATE, with the source lines of standard input: no
# root, the system's apt stays as it is. Signatures and checksums are verified as always. apt_in uses it.
private_apt()
{
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    cat >"$1/sources.list"
    # Hooks of the machine's own apt (containers clean their caches in them) do not apply to a private state.
    cat >"$1/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Pre-Invoke;
APT::Architecture "$2";
#clear APT::Architectures;
APT::Architectures { "$2"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
Acquire::Retries "3";
Acquire::Languages "none";
Dir::State "$1";
Dir::State::lists "$1/lists";
Dir::State::status "/dev/null";
Dir::Cache "$1";
Dir::Cache::archives "$1/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Debug::NoLocking "true";
END
}

# apt_in STATE TOOL ARGUMENT...
apt_in()
{
    local state=$1 tool=$2
    shift 2
    "$tool" -q -c="$state/apt.conf" "$@"
}

# fresh DIRECTORY: an empty scratch directory; into_place moves it there when it is whole
fresh()
{
    rm -rf "$1.new"
    mkdir -p "$1.new"
    printf '%s\n' "$1.new"
}

into_place()
{
    rm -rf "$1"
    mv "$1.new" "$1"
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
