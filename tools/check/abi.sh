#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles tests/abi/*.c: each is a list of static assertions about the ABI.
# With the arm64 compiler as in the image, and with the host's as in tests.
# usage: tools/check/abi.sh [ROOT]
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
BUILD=${BUILD:-build}
if [ ! -e "$BUILD/include/xen" ] && [ -d /usr/include/xen ]; then
	mkdir -p "$BUILD/include" && ln -sfn /usr/include/xen "$BUILD/include/xen"
fi
faults=0

compile() # FILE COMPILER FLAGS...
{
	local file=$1 said
	shift
	said=$("$@" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -Iinclude \
		-isystem "$BUILD/include" "$file" 2>&1) && return
	printf '%s\n' "$said" | grep -E 'error' | head -n 5
	printf '    cure: the ABI does not change: look at what moved (%s)\n' "$1"
	faults=$((faults + 1))
}

count=0
for file in tests/abi/*.c; do
	[ -e "$file" ] || continue
	count=$((count + $(grep -cE '^\s*(SIZE|OFFSET|NUMBER|ERRNO)\(' "$file")))
	compile "$file" "${CROSS_COMPILE:-aarch64-linux-gnu-}gcc" -ffreestanding \
		-Iarch/arm64/include
	compile "$file" "${HOSTCC:-gcc}" -DUNIT_TEST=1 -Iarch/fake/include
done
if [ "$count" -eq 0 ]; then
	printf 'tests/abi:1: no assertion found\n    cure: tests/abi/abi_asserts.c\n'
	faults=$((faults + 1))
fi
echo "note: $count assertions"
if [ "$faults" -eq 0 ]; then
	echo 'abi: passed'
else
	echo "abi: failed ($faults faults)"
	exit 1
fi
