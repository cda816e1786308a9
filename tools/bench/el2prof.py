#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each trap spends its EL2 instructions on, by function.

Reads QEMU's log of executed instructions and prints, for each way a trap took
through the hypervisor: how often, how many instructions, function by function.

usage: el2prof.py ELF LOG [ROWS]
       LOG from: qemu-system-aarch64 ... -accel tcg,one-insn-per-tb=on
                 -d exec,nochain -dfilter 0x7f8000000000+0x200000 -D LOG
       (the log grows by 70 bytes an instruction: run the payload briefly)
"""
import bisect
import collections
import re
import subprocess
import sys

NM = "aarch64-linux-gnu-nm"
PC = re.compile(r"/([0-9a-f]{16})/")


def symbols(elf):
    out = []
    text = subprocess.check_output([NM, "-n", elf], text=True)
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] in "tT":
            out.append((int(parts[0], 16), parts[2].split(".")[0]))
    return out


def episodes(log, entries):
    """Lists of EL2 addresses, each from one entry from a guest to the next."""
    current = None
    for line in log:
        match = PC.search(line)
        if not match:
            current = None
            continue
        pc = int(match.group(1), 16)
        if pc in entries:
            if current:
                yield current
            current = []
        if current is not None:
            current.append(pc)


def shape(pcs, syms, addrs):
    """((function, instructions), ...) in order."""
    out = []
    for pc in pcs:
        i = bisect.bisect_right(addrs, pc) - 1
        name = syms[i][1] if i >= 0 else "?"
        if not out or out[-1][0] != name:
            out.append([name, 0])
        out[-1][1] += 1
    return tuple((name, n) for name, n in out)


def main():
    if len(sys.argv) < 3 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    syms = symbols(sys.argv[1])
    addrs = [a for a, _ in syms]
    vectors = next(a for a, name in syms if name == "vectors")
    entries = (vectors + 0x400, vectors + 0x480)
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    seen = collections.Counter()
    with open(sys.argv[2], errors="ignore") as log:
        for pcs in episodes(log, entries):
            seen[shape(pcs, syms, addrs)] += 1
    for key, count in seen.most_common(rows):
        total = sum(n for _, n in key)
        print(f"{count} times, {total} instructions:",
              " ".join(f"{name}:{n}" for name, n in key))


main()
