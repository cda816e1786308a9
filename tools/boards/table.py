# SPDX-License-Identifier: Apache-2.0
"""docs/boards-table.md: what was found in each of Debian's device trees."""
import hashlib
import os
import re

LINE = re.compile(r"^(?P<name>\S+) +(?P<used>\d+)/(?P<cpus>\d+) +(?P<mib>\d+)(?P<told>[M*])/\d+ gicv(?P<gic>\d@[0-9a-f]+) (?P<timer>\S+) "
                  r"(?P<start>\S+) +(?P<console>.+?) +\d+/\d+M \d+ (?P<reserved>\d+) \d+ \d+ (?P<masters>\d+)/\d+(?: \(warned\))?$")
HEAD = """# Device trees of Debian's kernel package

What Bulkhead's boot code finds in each, on the host. `make boards` compares this
page with the trees that are there, and dtc has accepted dom0's tree of each that
is not refused, without a warning that the machine's own does not have.
`make boards-doc` writes it. What the words mean for a board: [boards.md](boards.md).

Trees: {digest}. {read} are understood, {refused} are refused; {consoles} have a console
that Bulkhead drives. CPUs start by PSCI (smc, hvc) or a spin-table; the timer's
four interrupts are 29/30/27/26 where nothing else stands. Memory: what the tree
says, - where only the boot loader knows. Reserved: ranges of it that the tree
keeps from everybody. Masters: devices that the tree has behind an SMMU.

| board | CPUs | MiB | reserved | GIC | CPU start | console | masters |
|---|---|---|---|---|---|---|---|
"""
USUAL_TIMER = "29/30/27/26"


def name_of(tree):
    """vendor/board of a path."""
    return os.path.join(os.path.basename(os.path.dirname(tree)), os.path.basename(tree)[:-4])


def columns(line):
    """A line of `boards` by column; port: the console's address, None without a driver."""
    found = LINE.match(line)
    if not found:
        return dict.fromkeys(("cpus", "mib", "gic", "port"))
    row = found.groupdict()
    name, _, port = row["console"].partition("@")
    row["driver"], row["port"] = name, port or None
    return row


def row_of(name, line):
    if " error " in line:
        return f"| {name} | refused: {line.split(': ', 2)[2]} | | | | | | |"
    row = columns(line)
    start = row["start"] + ("" if row["timer"] == USUAL_TIMER else f", timer {row['timer']}")
    memory = "-" if row["told"] == "*" else row["mib"]
    console = row["driver"].replace("none (-)", "none")
    return f"| {name} | {row['cpus']} | {memory} | {row['reserved']} | v{row['gic'][0]} | {start} | {console} | {row['masters']} |"


def digest(trees):
    total = hashlib.sha256()
    for tree in sorted(trees, key=name_of):
        with open(tree, "rb") as file:
            total.update(name_of(tree).encode() + file.read())
    return f"{len(trees)}, together {total.hexdigest()[:16]}"


def page(trees, rows):
    lines = [(name_of(tree), rows[name_of(tree)]) for tree in trees]
    refused = sum(" error " in line for _, line in lines)
    head = HEAD.format(digest=digest(trees), read=len(lines) - refused, refused=refused,
                       consoles=sum(columns(line)["port"] is not None for _, line in lines))
    return head + "\n".join(row_of(*line) for line in lines) + "\n"


def faults(args, rows):
    """What is wrong with the page; with args.write it is made."""
    trees = [tree for tree in args.trees if not tree.startswith(os.path.dirname(args.out) + "/")]
    text = page(trees, rows)
    if args.write:
        with open(args.table, "w", encoding="utf-8") as file:
            file.write(text)
        return []
    with open(args.table, encoding="utf-8") as file:
        old = file.read()
    if f"Trees: {digest(trees)}." not in old:
        print(f"{args.table} is of another version of the trees: make boards-doc")
        return []
    return [] if old == text else [f"{args.table} is not what was found: make boards-doc, and look at the difference"]
