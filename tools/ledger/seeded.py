#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Would the ledger see a regression of 10 %? Run behind ledger.py, whose figures (build/ledger/measured.json) it takes.

First in numbers: each number of each line is raised by 10 %, alone, and that line must fail and no other; a line more
and a line less must fail, too. Then for real: a copy of the tree gets instructions into a hypercall, an emulated
register of each interrupt controller, a timer's interrupt and a device's, and bytes into a frame, 10 % of what their
lines say; it is built, run and judged.
"""
import copy
import json
import math
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ledger  # noqa: E402  pylint: disable=wrong-import-position
import runs  # noqa: E402  pylint: disable=wrong-import-position
import stack  # noqa: E402  pylint: disable=wrong-import-position

MEASURED = os.path.join(runs.OUT, "measured.json")
TREE = os.path.join(runs.OUT, "tree")
TIMEOUT = 3600
NOPS = '\t__asm__ volatile(".rept {}\\n\\tnop\\n\\t.endr");\n'
FRAME = '\tunsigned char seed[{}];\n\n\t__asm__ volatile("" : : "r"(seed) : "memory");\n'
# group, line, file, the line of code in front of which it goes, what goes there
SEEDS = (
    ("paths", "hypercall xen_version version", "core/hc_version.c", "\t/* Also what guests measure as the cost", NOPS),
    ("paths", "read GICD_TYPER", "arch/arm64/vgic/vgicd_v3.c", "\t(void)opaque;\n\treturn vgic_regs_access(v, m, &gicd_v3", NOPS),
    ("paths", "interrupt: virtual timer", "arch/arm64/vdev/vtimer.c", "\tif (unlikely(!v)) {\n\t\twrite_sysreg(0, cntv_ctl", NOPS),
    ("paths", "interrupt: a device's", "core/irq.c", "\t\t/* Stays active until the guest ends it. */", NOPS),
    ("paths, GICv2", "read GICD_TYPER", "arch/arm64/vgic/vgicd_v2.c", "\t(void)opaque;\n\treturn vgic_regs_access(v, m, &gicd_v2", NOPS),
    ("stack", "trap_sync", "core/hc_multicall.c", "\tif (e->op == __HYPERVISOR_multicall) {\n", FRAME),
)
UNTOUCHED = ("paths", "hypercall without a row")


class Tally:
    def __init__(self):
        self.good = self.bad = 0

    def check(self, is_good, text):
        if is_good:
            self.good += 1
        else:
            self.bad += 1
            print(f"seeded: {text}")


def tenth(number):
    """10 % of a number, at least one."""
    return max(1, math.ceil(number * 0.1))


def failing(measured, book):
    return {(group, name) for group, name, _ in ledger.judge(measured, book)}


# ---- in numbers

def raise_each(measured, book, tally):
    for group, lines in measured.items():
        for name, numbers in lines.items():
            for column, number in enumerate(numbers):
                lines[name] = numbers[:column] + [number + tenth(number)] + numbers[column + 1:]
                tally.check(failing(measured, book) == {(group, name)}, f"{group}: {name}: 10 % more is not seen, alone")
            lines[name] = numbers


def change_lines(measured, book, tally):
    for group in measured:
        name = next(iter(measured[group]))
        numbers = measured[group].pop(name)
        tally.check(failing(measured, book) == {(group, name)}, f"{group}: {name}: not seen that nothing reaches it")
        measured[group][name] = numbers
        measured[group]["new"] = [1, 1]
        tally.check(failing(measured, book) == {(group, "new")}, f"{group}: a line that is not in the file is not seen")
        del measured[group]["new"]
    for group, goals in book["goals"].items():
        for name, goal in goals.items():
            above = copy.deepcopy(book)
            above["lines"][group][name][0] = measured[group][name][0] = goal + 1
            tally.check((group, name) in failing(measured, above), f"{group}: {name}: above the goal, and not seen")
            measured[group][name][0] = book["lines"][group][name][0]


# ---- for real

def copy_tree():
    """The tree with its build, without what was fetched: that is linked."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(runs.ROOT, TREE, ignore=lambda folder, names: {"build", ".git"} if folder == runs.ROOT else set())
    os.mkdir(os.path.join(TREE, "build"))
    for name in ("include", "sysroot-arm64"):
        os.symlink(os.path.join(runs.run.BUILD, name), os.path.join(TREE, "build", name))
    shutil.copytree(os.path.join(runs.run.BUILD, "arm64"), os.path.join(TREE, "build", "arm64"))


def seed(group, name, path, before, what, book):
    path = os.path.join(TREE, path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(before) != 1:
        sys.exit(f"seeded: error: {path} has no single line {before!r}\ncure: another place for the seed, in SEEDS")
    more = what.format(tenth(book["lines"][group][name][0]))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(before, more + before))


def build_and_judge(book, tally):
    copy_tree()
    for row in SEEDS:
        seed(*row, book)
    # Of this build, not of one that a make above us was told.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "-s", "-j2", "-C", TREE], check=True, env=environment)
    build = runs.Build(os.path.join(TREE, "build", "arm64"))
    guests, _, _ = ledger.measure_guests(build, TIMEOUT)
    gic2, _ = ledger.measure_guests_gic2(build, TIMEOUT)
    depths = {name: [depth] for name, depth in stack.depths(build).items()}
    seen = failing({"paths": guests, "paths, GICv2": gic2, "stack": depths}, book)
    for group, name, *_ in SEEDS:
        tally.check((group, name) in seen, f"{group}: {name}: 10 % more, built and run, is not seen")
    tally.check(UNTOUCHED not in seen, f"{UNTOUCHED[1]}: fails, and nothing was done to it")
    shutil.rmtree(TREE)


def main():
    try:
        with open(MEASURED, encoding="utf-8") as file:
            measured = json.load(file)
    except FileNotFoundError:
        sys.exit(f"seeded: error: no {MEASURED}\ncure: tools/ledger/ledger.py")
    book, tally = ledger.load(), Tally()
    if failing(measured, book):
        sys.exit("seeded: error: the ledger does not hold as it is\ncure: see tools/ledger/ledger.py")
    raise_each(measured, book, tally)
    change_lines(measured, book, tally)
    build_and_judge(book, tally)
    print(f"{tally.good} passed, {tally.bad} failed")
    sys.exit(1 if tally.bad else 0)


if __name__ == "__main__":
    main()
