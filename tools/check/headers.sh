#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and twice (its guard works): with the arm64
# compiler as the image sees it, and with the host's as unit tests do.
# usage: tools/check/headers.sh [ROOT]
set -u
SELF=$(realpath "$0")
cd "${1:-$(dirname "$0")/../..}" || exit 1
BUILD=${BUILD:-build}
CROSS_COMPILE=${CROSS_COMPILE:-aarch64-linux-gnu-}
WARN=(-std=gnu17 -Wall -Wextra -Wmissing-prototypes -Wno-unused-function
	-Werror -fsyntax-only -x c -)
if [ ! -e "$BUILD/include/xen" ] && [ -d /usr/include/xen ]; then
	mkdir -p "$BUILD/include" && ln -sfn /usr/include/xen "$BUILD/include/xen"
fi

# One header with one compiler; says what failed.
one() # arm64|fake HEADER
{
	local said cc
	case $1 in
	arm64)
		cc=("${CROSS_COMPILE}gcc" -ffreestanding -mgeneral-regs-only
			-Iinclude -Iarch/arm64/include) ;;
	fake)
		cc=("${HOSTCC:-gcc}" -DUNIT_TEST=1 -DCONFIG_DEBUG=1 -Iinclude
			-Iarch/fake/include -Iarch/arm64/include -Itests/fakes
			-I.) ;;
	esac
	said=$(printf '#include "%s"\n#include "%s"\n' "$PWD/$2" "$PWD/$2" |
		"${cc[@]}" -I"$(dirname "$2")" -isystem "$BUILD/include" \
			"${WARN[@]}" 2>&1) && return
	printf '%s:1: does not compile alone (%s)\n' "$2" "$1"
	printf '%s\n' "$said" | grep -m 3 -E 'error|fatal' | sed "s|$PWD/||g"
	echo '    cure: include or declare what it uses; guard it'
}

list()
{
	local dir
	for dir in include lib core drivers boot debug arch/arm64; do
		[ -d "$dir" ] && find "$dir" -name '*.h' -printf 'arm64 %p\n'
	done
	for dir in include lib core boot arch/fake tests/fakes; do
		[ -d "$dir" ] && find "$dir" -name '*.h' -printf 'fake %p\n'
	done
}

export BUILD CROSS_COMPILE
if [ "${2:-}" = --one ]; then
	one "$3" "$4"
	exit
fi
said=$(list | sort -k2 -k1 | xargs -r -P 2 -L 1 "$SELF" . --one | cat)
if [ -n "$said" ]; then
	printf '%s\n' "$said"
	echo "headers: failed ($(grep -c 'cure:' <<<"$said") faults)"
	exit 1
fi
echo 'headers: passed'
