#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that building and testing Bulkhead need on this machine: says what and why first.
# Silent and fast when all is there. Needs root or sudo only when something is missing.
#
# usage: tools/setup/host.sh [--list]
set -euo pipefail
# shellcheck source=tools/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What, and why. The compiler that CI uses is the one of Debian 12; newer releases should do.
packages()
{
    cat <<'END'
make                      build: the one entry point
gcc                       build: host compiler, for bulkhead-image and the unit tests
gcc-aarch64-linux-gnu     build: cross compiler of the hypervisor
libc6-dev-arm64-cross     build: C library for the static arm64 test programs
gcc-arm-linux-gnueabihf   test: compiler of the 32-bit test program
libc6-dev-armhf-cross     test: C library for the 32-bit test program
clang                     build: the second compiler
lld                       build: the second linker
llvm                      build: llvm-nm, llvm-objcopy and the symboliser of the sanitizers
libclang-rt-dev           test: sanitizers and libFuzzer
libfdt-dev                build: device tree library, for bulkhead-image and the unit tests
libxen-dev                build: Xen's public interface headers
device-tree-compiler      build: dtc, for machine descriptions in tests
libcriterion-dev          test: framework of the unit tests
python3                   test: the runner of the machines
python3-pytest            test: system tests
python3-pytest-xdist      test: two machines at a time
python3-pexpect           test: talks to consoles
u-boot-qemu               test: a boot loader that runs the scripts of bulkhead-image
u-boot-tools              test: mkimage, makes boot.scr of them
qemu-efi-aarch64          test: UEFI firmware of the emulated machine
grub-common               test: grub-mkimage, makes GRUB for it
mtools                    test: mformat and mcopy, make the disk that firmware and GRUB read
dosfstools                test: mkfs.vfat, the EFI partition of the disk with Debian
fdisk                     test: sfdisk, its partitions
debhelper                 package: the Debian package of the hypervisor
cpio                      build: the control domain's ramdisk
e2fsprogs                 build: the guests' disk
xz-utils                  build: unpacks Debian's packages
universal-ctags           lint: sizes of functions
valgrind                  test: counts the instructions of make bench-sched
cppcheck                  lint: static analysis
clang-format              lint: layout
clang-tidy                lint: static analysis
gnuplot-nox               docs: the charts of docs/performance.md
gdb-multiarch             debug: gdb for the emulated machine
END
}

# QEMU comes from backports on Debian 12: 10.0 has the plugin interface of tools/ledger, and imx8mp-evk.
QEMU_WANTED=10.0
QEMU_PACKAGES="qemu-system-arm qemu-system-common qemu-system-data ipxe-qemu"
BACKPORTS_LIST=/etc/apt/sources.list.d/bulkhead-backports.list

installed_version()
{
    dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | awk '$1 == "installed" { print $2; exit }'
}

is_installed()
{
    [ -n "$(installed_version "$1")" ]
}

# at_least VERSION WANTED, without the epoch
at_least()
{
    dpkg --compare-versions "${1#*:}" ge "$2"
}

missing_packages()
{
    local name
    # One dpkg-query for all: the silent-fast path.
    local have
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | awk '$1 == "installed" { print $2 }')
    while read -r name _; do
        grep -qxF "$name" <<<"$have" || printf '%s\n' "$name"
    done < <(packages)
}

qemu_is_good()
{
    local version name
    version=$(installed_version qemu-system-arm)
    [ -n "$version" ] || return 1
    for name in $QEMU_PACKAGES; do
        is_installed "$name" || return 1
    done
    at_least "$version" "$QEMU_WANTED"
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

need_root()
{
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null ||
        die "installing packages needs root, and there is no sudo here" "run as root: tools/setup/host.sh"
    sudo -n true 2>/dev/null || [ -t 0 ] ||
        die "installing packages needs root, and sudo cannot ask for a password here" "run in a terminal: sudo tools/setup/host.sh"
}

apt_get()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
}

apt_update()
{
    say "reading the package lists"
    retry apt_get update -qq || die "the package lists cannot be read" "$NETWORK_CURE"
}

install_packages()
{
    retry apt_get install -y --no-install-recommends "$@" >"$LOG" 2>&1 ||
        { tail -n 15 "$LOG" >&2; die "apt-get install failed for: $*" "$NETWORK_CURE; full output: $LOG"; }
}

# Adds RELEASE-backports to apt's sources, from the machine's own mirror, when no source has it.
add_backports()
{
    local codename uri
    codename=$(host_codename)
    apt-get indextargets --format '$(RELEASE)' 2>/dev/null | grep -qx "$codename-backports" && return
    uri=$(mirror_uri)
    [ -n "$uri" ] || die "apt on this machine has no source for Debian $codename main" "add one to /etc/apt/sources.list.d/, then run this again"
    say "adding $codename-backports of this machine's mirror to $BACKPORTS_LIST"
    printf 'deb %s%s %s-backports main\n' "$(signed_by)" "$uri" "$codename" | as_root tee "$BACKPORTS_LIST" >/dev/null
    if ! retry apt_get update -qq; then
        as_root rm -f "$BACKPORTS_LIST"
        warn "this machine's mirror has no $codename-backports (removed again)"
        warn "cure: name a mirror that has it in $BACKPORTS_LIST; until then tests that need QEMU $QEMU_WANTED are skipped"
        return 1
    fi
}

install_qemu()
{
    local candidate target=()
    candidate=$(apt-cache policy qemu-system-arm | awk '/Candidate:/ { print $2 }')
    if ! at_least "${candidate:-0}" "$QEMU_WANTED" && add_backports; then
        target=(-t "$(host_codename)-backports")
    fi
    say "installing QEMU ($QEMU_PACKAGES): the emulated machines"
    # shellcheck disable=SC2086  # a list of words
    install_packages "${target[@]}" $QEMU_PACKAGES
    say "QEMU is $(installed_version qemu-system-arm)"
}

main()
{
    local missing name
    case "${1:-}" in
    "") ;;
    --list) packages; printf '%s\n' "$QEMU_PACKAGES"; exit 0 ;;
    *) sed -n '4,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ "$1" = --help ]; exit ;;
    esac
    command -v dpkg-query >/dev/null ||
        die "this machine does not use Debian packages" "use Debian 12 or later (a container does), or install the like of: $(packages | awk '{ printf "%s ", $1 }') qemu-system-arm"

    missing=$(missing_packages)
    if [ -z "$missing" ] && qemu_is_good; then
        exit 0
    fi
    need_root
    LOG=$(mktemp /tmp/bulkhead-setup.XXXXXX)
    if [ -n "$missing" ]; then
        say "missing packages on this machine:"
        for name in $missing; do
            packages | grep -E "^$name " | sed 's/^/setup:   /'
        done
    fi
    qemu_is_good || say "missing: QEMU $QEMU_WANTED or later"
    apt_update
    # shellcheck disable=SC2086  # a list of words
    [ -z "$missing" ] || install_packages $missing
    qemu_is_good || install_qemu
    rm -f "$LOG"
    say "this machine has all it needs"
}

main "$@"
