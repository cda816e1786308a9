#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A load like a compiler's, of what an example guest has: each unit is generated, split into words, its names sorted and
# counted, written anew and packed; then all are put together. One process after the other, pipes, small files. Prints
# the sum of the result, which is the same wherever it runs.
UNITS=12
LINES=400
mkdir -p /tmp/build
cd /tmp/build || exit 1
unit=0
while [ $unit -lt $UNITS ]; do
    awk -v lines=$LINES -v unit=$unit 'BEGIN {
        seed = unit + 1
        for (n = 0; n < lines; n++) {
            seed = (seed * 1103 + 12345) % 65536
            printf "static int f%d_%d(int a%d) { return a%d * %d + f%d_%d(%d); }\n", unit, n, seed % 7, seed % 7, seed, unit, seed % lines, n
        }
    }' >$unit.c
    tr -c 'A-Za-z0-9_' '\n' <$unit.c | grep '^[a-z]' | sort | uniq -c >$unit.names
    awk 'NR == FNR { uses[$2] = $1; next } { for (i = 1; i <= NF; i++) if ($i in uses) $i = $i "@" uses[$i]; print }' \
        $unit.names $unit.c | sed 's/ *\([(){};]\) */\1/g' | gzip -c -n >$unit.o || exit 1
    unit=$((unit + 1))
done
cat ./*.o >all.o
echo "build $(cat ./*.c ./*.names all.o | sha256sum | cut -c1-16)"
