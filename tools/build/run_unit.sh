#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run unit test programs; one line each; the sum as the last line.
# A program that hangs is ended after UNIT_TIMEOUT seconds, which is many times
# what the slowest takes on a busy machine.
set -u
limit=${UNIT_TIMEOUT:-3600}
pass=0
fail=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "$@"; do
	timeout -k 10 "$limit" "$t" --jobs 2 --color=never >"$log" 2>&1
	rc=$?
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		echo "no end after $limit s: it hangs" >>"$log"
	fi
	# Criterion: "[====] Synthesis: Tested: 3 | Passing: 3 | Failing: 0 | Crashing: 0"
	line=$(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -o 'Tested: .*' | tail -n 1)
	p=$(printf '%s' "$line" | sed -n 's/.*Passing: \([0-9]*\).*/\1/p')
	f=$(printf '%s' "$line" | sed -n 's/.*Failing: \([0-9]*\).*/\1/p')
	c=$(printf '%s' "$line" | sed -n 's/.*Crashing: \([0-9]*\).*/\1/p')
	bad=$(( ${f:-0} + ${c:-0} ))
	if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1 # a sanitizer report, or the program did not run
	fi
	# Criterion counts a test as passed whose teardown fails.
	if [ "$bad" -eq 0 ] && grep -q 'Assertion Failed' "$log"; then
		bad=1
	fi
	if [ "${p:-0}" -eq 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo 'no test ran' >>"$log"
	fi
	printf '%-28s %4d passed %4d failed\n' "$(basename "$t")" "${p:-0}" "$bad"
	[ "$bad" -eq 0 ] || cat "$log"
	pass=$((pass + ${p:-0}))
	fail=$((fail + bad))
done
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
