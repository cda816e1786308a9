#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Sees to a QEMU that connects the virtual interrupts of i.MX 8M Plus: 10.1 or later. Where the machine's own is older, as
# on Debian 12, fetches the one of Debian 13's backports with every library it needs and unpacks them beside the machine's
# own, through a private apt state under build/cache: no root, nothing is installed. Used for that board alone.
#
# usage: tools/setup/fetch_qemu.sh [--force]
#
# Leaves behind build/peer/qemu-new/qemu-system-aarch64, which starts it with those libraries; nothing at all, fast, where
# the machine's own QEMU will do or this has run before.
set -euo pipefail
# shellcheck source=tools/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

WANTED=10.1
SUITE=trixie
BACKPORTS=$SUITE-backports
OUT=$BUILD/peer/qemu-new
STATE=$CACHE/apt-qemu
STAMP=$OUT/.fetched
RECIPE=1
OWN_CURE="put a qemu-system-aarch64 of $WANTED or later into PATH"

# The version of the machine's own QEMU, or nothing.
own_version()
{
    qemu-system-aarch64 --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p'
}

own_is_good()
{
    dpkg --compare-versions "$(own_version)" ge "$WANTED"
}

write_state()
{
    local uri
    uri=$(mirror_uri)
    [ -n "$uri" ] || die "apt on this machine has no source for Debian main, so there is no mirror to ask" \
        "add one to /etc/apt/sources.list.d/ and run 'apt-get update' once, then run this again"
    printf 'deb %s%s %s main\n' "$(signed_by)" "$uri" "$SUITE" "$(signed_by)" "$uri" "$BACKPORTS" |
        private_apt "$STATE" "$(dpkg --print-architecture)"
}

download()
{
    local log=$STATE/download.log
    say "reading the package lists of $SUITE and $BACKPORTS"
    retry apt_in "$STATE" apt-get update -qq >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; die "the package lists of $SUITE and $BACKPORTS cannot be read" \
            "see that this machine's Debian mirror is reached and has them; or $OWN_CURE"; }
    apt_in "$STATE" apt-cache madison qemu-system-arm | grep " $BACKPORTS/" >/dev/null ||
        die "this machine's mirror has no qemu-system-arm in $BACKPORTS" \
            "name a full Debian mirror in this machine's apt sources, or $OWN_CURE"
    rm -f "$STATE"/archives/*.deb
    say "fetching qemu-system-arm of $BACKPORTS and the libraries it needs (38 MB)"
    retry apt_in "$STATE" apt-get install --download-only -y qemu-system-{arm,common,data}/"$BACKPORTS" >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; die "a download failed" "$NETWORK_CURE"; }
}

# The program, the loader and the libraries that it names, its data files; the rest of the packages is not needed.
make_qemu()
{
    local dir file loader
    say "unpacking"
    dir=$(fresh "$OUT")
    for file in "$STATE"/archives/*.deb; do
        dpkg-deb -x "$file" "$dir/all"
    done
    mkdir "$dir/lib" "$dir/bin"
    for loader in "$dir"/all/usr/lib/*/ld-linux-*.so.*; do :; done
    "$loader" --library-path "$(dirname "$loader")" --list "$dir/all/usr/bin/qemu-system-aarch64" >"$dir/libraries" ||
        die "the unpacked QEMU's libraries do not fit together" "run: tools/setup/fetch_qemu.sh --force"
    sed -n 's/.* => \(.*\) (0x.*/\1/p' "$dir/libraries" | xargs -d '\n' cp -t "$dir/lib"
    cp "$loader" "$dir/lib/loader"
    mv "$dir/all/usr/bin/qemu-system-aarch64" "$dir/bin/"
    mv "$dir/all/usr/share/qemu" "$dir/share"
    cat >"$dir/qemu-system-aarch64" <<'END'
#!/bin/sh
# Made by tools/setup/fetch_qemu.sh: QEMU of a newer Debian with the libraries of its own.
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/loader" --library-path "$here/lib" "$here/bin/qemu-system-aarch64" -L "$here/share" "$@"
END
    chmod +x "$dir/qemu-system-aarch64"
    rm -rf "$dir/all" "$dir/libraries"
    "$dir/qemu-system-aarch64" -M help | grep '^imx8mp-evk ' >/dev/null ||
        die "the unpacked QEMU does not start, or has no imx8mp-evk" "run: tools/setup/fetch_qemu.sh --force"
    fingerprint >"$dir/.fetched"
    into_place "$OUT"
}

# What the result depends on. Raise RECIPE when this script comes to leave other things behind.
fingerprint()
{
    printf 'recipe %s, %s\n' "$RECIPE" "$BACKPORTS"
}

all_there()
{
    [ "$(cat "$STAMP" 2>/dev/null)" = "$(fingerprint)" ]
}

main()
{
    case "${1:-}" in
    "" | --force) ;;
    *) sed -n '4,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ "$1" = --help ]; exit ;;
    esac
    [ "${1:-}" = --force ] || { ! all_there && ! own_is_good; } || exit 0
    command -v apt-get >/dev/null || die "this machine has no apt, and its QEMU is older than $WANTED" \
        "run on Debian 12 or later, or in a container of it, or $OWN_CURE"
    mkdir -p "$STATE" "$BUILD/peer"
    # One at a time: several builds of one tree may start this together.
    exec 9>"$CACHE/.fetch-qemu.lock"
    flock 9
    [ "${1:-}" = --force ] || ! all_there || exit 0

    write_state
    download
    make_qemu
    say "build/peer/qemu-new has $("$OUT/qemu-system-aarch64" --version | head -n 1)"
}

main "$@"
