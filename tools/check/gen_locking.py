#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
docs/locking.md from include/hv/lock_ranks.h. Without an option: write it.
With --check: fail when the file in the tree is not what would be written.
"""
import os
import re
import sys

import common

SOURCE = "include/hv/lock_ranks.h"
TARGET = "docs/locking.md"
CURE = "tools/check/gen_locking.py"

HEAD = """# Locks

<!-- Made by tools/check/gen_locking.py from include/hv/lock_ranks.h. -->

First question: which CPU owns the state? What one CPU owns needs no lock;
others post (see architecture.md). What is truly shared has a spinlock
(`hv/lock.h`) with one of these ranks; who waits for it is served in the order
of arrival (adr/0023).

A CPU takes a lock only of a higher rank than any it holds. Two locks of one
rank are taken by `lock_pair()`, the lower domain id first. The checking build
(`make DEBUG=1`) compares every acquire with what the CPU holds; the release
build has no trace of it. EL2 runs with interrupts masked, so every lock is
taken with interrupts masked.

No lock is held across a copy from or to guest memory, a print, or a call
through a table that is not marked leaf. No lock is dropped and taken again to
change the order.

| rank | name | protects |
|---|---|---|
"""

TAIL = """
Functions say `REQUIRES(lock)` or `EXCLUDES(lock)`; clang checks it with
-Wthread-safety. The suffix `_locked` means that the caller holds the lock
named there.
"""


def ranks(text):
    return re.findall(r'\bR\((\w+),\s*"([^"]*)"\)', text)


def render(root):
    rows = [f"| {n} | {name} | {what} |\n" for n, (name, what)
            in enumerate(ranks(common.read(root, SOURCE)))]
    return HEAD + "".join(rows) + TAIL


def main():
    par = common.parser(__doc__)
    par.add_argument("--check", action="store_true")
    args = par.parse_args()
    text = render(args.root)
    path = os.path.join(args.root, TARGET)
    if not args.check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    rep = common.Report("locking")
    if "| 0 |" not in text:
        rep.fault(f"{SOURCE}:1", "no rank found", "R(NAME, \"what\") rows")
    if not os.path.exists(path) or common.read(args.root, TARGET) != text:
        rep.fault(f"{TARGET}:1", f"is not what {SOURCE} says", CURE)
    return rep.done()


if __name__ == "__main__":
    sys.exit(main())
