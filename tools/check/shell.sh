#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shell scripts parse (bash -n, and shellcheck where it is installed); Python
# scripts compile.
# usage: tools/check/shell.sh [ROOT]
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
faults=0

fault() # WHERE WHAT CURE
{
	printf '%s: %s\n    cure: %s\n' "$1" "$2" "$3"
	faults=$((faults + 1))
}

# grep cannot tie a pattern to the first line of a file: head can.
first_line_is() # PATTERN, names on stdin
{
	while IFS= read -r path; do
		head -n 1 "$path" | grep -qE "$1" && printf '%s\n' "$path"
	done
}

scripts()
{
	find . \( -name .git -o -path ./build -o -name __pycache__ \) -prune \
		-o -type f -print0 | sort -z | xargs -0 -r grep -lIE '^#!' -- |
		sed 's|^\./||' | first_line_is "^#! ?/[a-z/]*(env )?($1)( |\$)"
}

while IFS= read -r path; do
	if ! said=$(bash -n "$path" 2>&1); then
		fault "$path:1" "bash -n: $said" 'correct the syntax'
	elif command -v shellcheck >/dev/null; then
		if ! said=$(shellcheck -S warning -x -P SCRIPTDIR -f gcc \
			"$path" 2>&1); then
			fault "$path:1" "shellcheck: $said" \
				'follow it, or disable it there with a reason'
		fi
	fi
done < <(scripts 'bash|sh')
command -v shellcheck >/dev/null || echo 'note: no shellcheck here: bash -n only'

while IFS= read -r path; do
	if ! said=$(/usr/bin/python3 -c 'import sys
compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$path" 2>&1); then
		fault "$path:1" "$(printf '%s' "$said" | tail -n 1)" \
			'correct the syntax'
	fi
done < <(scripts 'python3?')

if [ "$faults" -eq 0 ]; then
	echo 'shell: passed'
else
	echo "shell: failed ($faults faults)"
	exit 1
fi
