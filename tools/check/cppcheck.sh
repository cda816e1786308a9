#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck over what goes into the image: errors and warnings. What it gets
# wrong is suppressed, with a reason, in tools/check/cppcheck.supp.
# usage: tools/check/cppcheck.sh [ROOT]
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 1
command -v cppcheck >/dev/null || {
	printf 'tools/check/cppcheck.sh:1: cppcheck is missing\n    cure: tools/setup/host.sh\n'
	exit 1
}
dirs=()
for d in lib core arch/arm64 drivers boot debug; do
	[ -d "$d" ] && [ -n "$(find "$d" -name '*.c' -print -quit)" ] && dirs+=("$d")
done
if [ "${#dirs[@]}" -gt 0 ]; then
	said=$(cppcheck --quiet -j2 --std=c11 --platform=unix64 \
		--enable=warning --max-configs=1 \
		-D__aarch64__=1 -D__STDC_HOSTED__=0 -Iinclude \
		-Iarch/arm64/include \
		--suppressions-list="$here/cppcheck.supp" \
		--template='{file}:{line}: {severity} {id}: {message}' \
		"${dirs[@]}" 2>&1)
	if [ -n "$said" ]; then
		printf '%s\n' "$said"
		echo '    cure: correct it, or suppress it in tools/check/cppcheck.supp with a reason'
		echo "cppcheck: failed ($(grep -c ': ' <<<"$said") faults)"
		exit 1
	fi
fi
echo 'cppcheck: passed'
