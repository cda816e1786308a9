#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the arm64 pieces that Bulkhead is built and tested with, from Debian, through a private apt state under
# build/cache: no root, the system's own apt stays as it is. Signatures and checksums are verified as apt does.
#
# usage: tools/setup/fetch_arm64.sh [--force]
#
# Leaves behind (and does nothing, fast, when it is all there already):
#   build/peer/xen            Debian's Xen 4.17 for arm64: the peer every test can run against
#   build/peer/vmlinuz        Debian 12's stock arm64 kernel, an uncompressed Image
#   build/peer/modules/       its modules: lib/modules/VERSION below it
#   build/peer/vmlinuz-backports, build/peer/modules-backports/   the same of the newer kernel in Debian 12's backports
#   build/peer/dtbs/          the device trees of every board that kernel knows
#   build/peer/dom0-root/     the packages named in tools/image/dom0.packages and all they depend on, unpacked
#   build/sysroot-arm64/      include/ and lib/ of libfdt for the hypervisor
set -euo pipefail
# shellcheck source=tools/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SUITE=bookworm                      # the peer's release: Xen 4.17, Linux 6.1
BACKPORTS=$SUITE-backports          # Linux 6.12; apt takes from it only what is asked for by this name
DOM0_LIST=$ROOT/tools/image/dom0.packages
PEER=$BUILD/peer
SYSROOT=$BUILD/sysroot-arm64
STATE=$CACHE/apt-arm64
DEBS=$STATE/debs
STAMP=$PEER/.fetched
RECIPE=3

# A URI of apt's for the security suite of this machine's release, when it has one.
security_uri()
{
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v rel="$(host_codename)-security" '$1 == rel && $2 == "main" { print $3; exit }'
}

write_state()
{
    local uri security
    mkdir -p "$DEBS"
    uri=$(mirror_uri)
    [ -n "$uri" ] || die "apt on this machine has no source for Debian main, so there is no mirror to ask" \
        "add one to /etc/apt/sources.list.d/ and run 'apt-get update' once, then run this again"
    security=$(security_uri)
    {
        printf 'deb %s%s %s main\n' "$(signed_by)" "$uri" "$SUITE" "$(signed_by)" "$uri" "$BACKPORTS"
        [ -z "$security" ] || printf 'deb %s%s %s-security main\n' "$(signed_by)" "$security" "$SUITE"
    } | private_apt "$STATE" arm64
}

apt_arm64()
{
    apt_in "$STATE" "$@"
}

# kernel_package METAPACKAGE: the package that it stands for
kernel_package()
{
    apt_arm64 apt-cache depends "$1" | awk '/Depends: linux-image-/ { print $2; exit }'
}

dom0_packages()
{
    sed 's/#.*//' "$DOM0_LIST" | xargs
}

# download_one PACKAGE...: exactly these, into DEBS
download_one()
{
    local log=$STATE/download.log
    say "fetching $*"
    (cd "$DEBS" && retry apt_arm64 apt-get download "$@") >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; die "a download failed: $*" "$NETWORK_CURE"; }
}

# download_closure PACKAGE...: these and all they depend on, into archives/
download_closure()
{
    local log=$STATE/download.log
    say "fetching for the control domain: $* and what they depend on"
    retry apt_arm64 apt-get install --download-only -y "$@" >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; die "a download failed: $*" "$NETWORK_CURE"; }
}

# unpack DEB DIRECTORY
unpack()
{
    dpkg-deb -x "$1" "$2"
}

# deb_of PACKAGE: the one file of that package in DEBS
deb_of()
{
    local file
    for file in "$DEBS/$1"_*.deb; do
        [ -e "$file" ] && printf '%s\n' "$file" && return
    done
    die "no package file for $1 in $DEBS" "run: tools/setup/fetch_arm64.sh --force"
}

# unpack_kernel PACKAGE DIRECTORY SUFFIX: into PEER as vmlinuzSUFFIX and modulesSUFFIX
unpack_kernel()
{
    unpack "$(deb_of "$1")" "$2"
    cp "$2"/boot/vmlinuz-* "$PEER/vmlinuz$3"
    rm -rf "$PEER/modules$3"
    mkdir -p "$PEER/modules$3"
    mv "$2/lib" "$PEER/modules$3/lib"
}

# make_peer KERNEL NEWER_KERNEL
make_peer()
{
    local dir
    say "unpacking Xen and the kernels"
    dir=$(fresh "$PEER/unpacked")
    unpack "$(deb_of xen-hypervisor-4.17-arm64)" "$dir"
    cp "$dir"/boot/xen-4.17-arm64 "$PEER/xen"
    unpack_kernel "$1" "$dir/kernel" ""
    rm -rf "$PEER/dtbs"
    mv "$dir"/kernel/usr/lib/linux-image-* "$PEER/dtbs"
    unpack_kernel "$2" "$dir/newer" -backports
    rm -rf "$dir"
}

make_sysroot()
{
    local dir
    say "unpacking libfdt"
    dir=$(fresh "$SYSROOT")
    unpack "$(deb_of libfdt-dev)" "$dir/deb"
    mkdir -p "$dir/include" "$dir/lib"
    cp "$dir"/deb/usr/include/*.h "$dir/include/"
    cp "$dir"/deb/usr/lib/aarch64-linux-gnu/libfdt.a "$dir/lib/"
    rm -rf "$dir/deb"
    into_place "$SYSROOT"
}

make_dom0_root()
{
    local dir file
    say "unpacking the control domain's packages"
    dir=$(fresh "$PEER/dom0-root")
    for file in "$STATE"/archives/*.deb; do
        unpack "$file" "$dir"
    done
    into_place "$PEER/dom0-root"
}

# What the result depends on. Raise RECIPE when this script comes to leave other things behind.
fingerprint()
{
    printf 'recipe %s, %s: %s\n' "$RECIPE" "$SUITE" "$(dom0_packages)"
}

all_there()
{
    local file
    [ "$(cat "$STAMP" 2>/dev/null)" = "$(fingerprint)" ] || return 1
    for file in xen vmlinuz modules/lib vmlinuz-backports modules-backports/lib dtbs dom0-root; do
        [ -e "$PEER/$file" ] || return 1
    done
    [ -e "$SYSROOT/lib/libfdt.a" ] && [ -e "$SYSROOT/include/libfdt.h" ]
}

main()
{
    local kernel newer
    case "${1:-}" in
    "" | --force) ;;
    *) sed -n '4,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ "$1" = --help ]; exit ;;
    esac
    [ "${1:-}" = --force ] || ! all_there || exit 0
    command -v apt-get >/dev/null || die "this machine has no apt" "run on Debian 12 or later, or in a container of it"
    mkdir -p "$CACHE" "$PEER"
    # One at a time: several builds of one tree may start this together.
    exec 9>"$CACHE/.fetch.lock"
    flock 9
    [ "${1:-}" = --force ] || ! all_there || exit 0

    write_state
    say "reading Debian's package lists for arm64"
    retry apt_arm64 apt-get update -qq || die "Debian's package lists cannot be read" "$NETWORK_CURE"
    kernel=$(kernel_package linux-image-arm64)
    newer=$(kernel_package "linux-image-arm64/$BACKPORTS")
    [ -n "$kernel" ] && [ -n "$newer" ] || die "the mirror names no kernel package for arm64 in $SUITE or in $BACKPORTS" \
        "use a full Debian mirror in this machine's apt sources"
    rm -rf "$DEBS" "$STATE"/archives/*.deb
    mkdir -p "$DEBS" "$STATE/archives/partial"
    download_one xen-hypervisor-4.17-arm64 libfdt-dev
    download_one "$kernel" "$newer"
    # shellcheck disable=SC2046  # a list of words
    download_closure $(dom0_packages)
    make_peer "$kernel" "$newer"
    make_sysroot
    make_dom0_root
    fingerprint >"$STAMP"
    say "arm64 pieces are in build/peer and build/sysroot-arm64"
}

main "$@"
