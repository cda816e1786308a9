#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh DIR NAME:RUNS...: run libFuzzer programs of DIR from DIR/NAME.seeds
# with a fixed seed; an input that fails is kept in DIR. The sum as last line.
set -u
dir=$1
shift
pass=0
fail=0
for job in "$@"; do
	name=${job%%:*}
	runs=${job##*:}
	log=$dir/$name.log
	rm -rf "$dir/$name.corpus"
	cp -r "$dir/$name.seeds" "$dir/$name.corpus"
	if "$dir/$name" -runs="$runs" -seed=1 -len_control=0 -timeout=900 \
		-rss_limit_mb=1024 -artifact_prefix="$dir/$name." \
		"$dir/$name.corpus" >"$log" 2>&1; then
		printf '%-28s passed: %s\n' "$name" \
			"$(grep -o 'DONE .*' "$log" | tail -n 1)"
		pass=$((pass + 1))
	else
		printf '%-28s FAILED, see %s\n' "$name" "$log"
		grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log"
		fail=$((fail + 1))
	fi
done
echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
