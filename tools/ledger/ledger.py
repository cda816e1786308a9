#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The instruction ledger: what each path through EL2 costs, how deep its stack gets, how large the image is.

Runs what tools/ledger/runs.py names under a QEMU plugin that counts each stretch at EL2, and compares with
tests/perf/ledger.json, which holds what every line had reached when it was written. A line fails when it costs 5 %
more; when it costs so much less that 10 % more would not be noticed; when it is not in the file; when nothing
reaches it any more. The goals in that file are limits whatever was reached. docs/ledger.md is the file as a table.
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import paths  # noqa: E402  pylint: disable=wrong-import-position
import report  # noqa: E402  pylint: disable=wrong-import-position
import runs  # noqa: E402  pylint: disable=wrong-import-position
import stack  # noqa: E402  pylint: disable=wrong-import-position

FILE = os.path.join(runs.ROOT, "tests", "perf", "ledger.json")
SLACK = 0.05
REGRESSION = 1.1        # must always be noticed
COLUMNS = ("typical", "worst")
# What the toolstack run says of single calls: those whose cost depends on their arguments, not on when a timer fires.
CONTROL = re.compile(r"hypercall (domctl|sysctl|memory_op|multicall)")
# What a GICv2 makes different.
OF_GIC = re.compile(r"(read|write) GICD_|interrupt|wake-up|work|WFI")
MILLION = 1e6
FOR_GUESTS = re.compile(r"Memory for guests: (\d+) of \d+ KiB")
BOOT_TICKS = re.compile(r"BENCH boot ticks (\d+) iterations 1")
INSNS_A_TICK = 16       # of the counter, with the instruction clock


# ---- measuring: {group: {line: [number, ...]}}

def merge(sections, into):
    for section in sections:
        for key, spent in section["paths"].items():
            mine = into.setdefault(key, {})
            for insns, times in spent.items():
                mine[insns] = mine.get(insns, 0) + times


def lines_of(spent_by_path):
    return {key: list(paths.typical_and_worst(spent)) for key, spent in spent_by_path.items()}


def longest(spent_by_path):
    """Instructions of the longest stretch; work is a part of one."""
    return max(max(spent) for key, spent in spent_by_path.items() if not key.startswith("work: "))


def measure_guests(build, timeout):
    """The paths, and what the first run says of the machine."""
    spent, console = {}, ""
    for name, cpus in runs.GUESTS:
        sections, text = runs.guest(build, name, cpus, timeout)
        merge(sections, spent)
        console = console or text
    lost = 2 * 1024 * 1024 - int(FOR_GUESTS.search(console).group(1))
    size = {"reset to the first guest's first instruction, instructions": [int(BOOT_TICKS.search(console).group(1)) * INSNS_A_TICK],
            "memory of a 2 GiB machine that no guest can have, KiB": [lost]}
    return lines_of(spent), longest(spent), size


def measure_guests_gic2(build, timeout):
    """The paths, and the longest stretch."""
    spent = {}
    for name, cpus in runs.GUESTS_GIC2:
        merge(runs.guest(build, name, cpus, timeout, gic=2)[0], spent)
    return {key: value for key, value in lines_of(spent).items() if OF_GIC.match(key)}, longest(spent)


def measure_boot(build, timeout):
    """Reset to a domain's first instruction: the first of one and of three, and how much memory matters."""
    insns = {(count, gib): runs.first_domain(build, count, gib * 1024, timeout) * INSNS_A_TICK
             for count, gib in ((1, 1), (3, 1), (1, 4), (1, 16))}
    lines = {f"{count} domain{'s' * (count > 1)}, {gib} GiB": [value] for (count, gib), value in insns.items()}
    lines["each domain more"] = [(insns[3, 1] - insns[1, 1]) // 2]
    return lines


def injected(section):
    """Interrupts that the guest of LINUX got in a section: all that came were its timer's."""
    return sum(times for key, spent in section["paths"].items() if key.endswith(": virtual timer") for times in spent.values())


def measure_linux(build, timeout):
    lines = {}
    for name, script, dom0_args, hyp_args in runs.LINUX:
        (boot, window, _), _ = runs.linux(build, name, script, dom0_args, hyp_args, timeout)
        title = report.LINUX[name]
        lines[f"{title}: instructions an injected interrupt, in all"] = [round(window["el2"] / injected(window))]
        if name in report.RUNS_ALL_THE_TIME:
            per_million = window["el2"] * MILLION / window["guest"]
            lines[f"{title}: instructions a million of the guest's"] = [round(per_million, 1)]
        if name == "wfi":
            lines["boot to the shell"] = [boot["el2"]]
    return lines


def measure_toolstack(build, timeout):
    (_, create, _, destroy, _), _ = runs.toolstack(build, timeout)
    spent = {}
    merge((create, destroy), spent)
    lines = {key: value for key, value in lines_of(spent).items() if CONTROL.match(key)}
    totals = {"xl create, in all": [create["el2"]], "xl destroy, in all": [destroy["el2"]]}
    return lines, totals, longest(spent)


def measure_attack(build, timeout):
    """The longest stretch while a guest attacks."""
    (_, window, _), _ = runs.attack(build, timeout)
    spent = {}
    merge((window,), spent)
    return longest(spent)


def measure_size(build):
    found = {"image, bytes": [os.path.getsize(build.image)]}
    text = subprocess.check_output(["aarch64-linux-gnu-size", "-A", "-d", build.elf], text=True)
    for name, size in re.findall(r"^(\.\S+)\s+(\d+)\s+[1-9]\d*$", text, re.M):
        found[f"section {name}, bytes"] = [int(size)]
    return found


def measure(build, timeout):
    runs.prepare()
    guests, masked, machine = measure_guests(build, timeout)
    gic2, masked_gic2 = measure_guests_gic2(build, timeout)
    toolstack, totals, masked_toolstack = measure_toolstack(build, timeout)
    return {
        "paths": guests,
        "paths, GICv2": gic2,
        "toolstack": toolstack,
        "linux": {**measure_linux(build, timeout), **totals},
        "masked": {"bare-metal guests": [masked], "bare-metal guests, GICv2": [masked_gic2], "xl create, xl destroy": [masked_toolstack],
                   "a guest that attacks with PCI functions": [measure_attack(build, timeout)]},
        "boot": measure_boot(build, timeout),
        "stack": {name: [depth] for name, depth in stack.depths(build).items()},
        "size": {**measure_size(build), **machine},
    }


# ---- judging

def limit(reached):
    return reached + math.floor(reached * SLACK)


def judge_number(got, reached):
    """What is wrong with one number, or None."""
    if got > limit(reached):
        return f"{got:,} where {reached:,} had been reached (limit {limit(reached):,})"
    if reached and math.ceil(got * REGRESSION) <= limit(reached):
        return f"{got:,} where {reached:,} is in the file: better, but 10 % more would go unseen (make ledger-update)"
    return None


def judge_line(group, name, got, book):
    reached = book["lines"].get(group, {}).get(name)
    if reached is None:
        return [f"{got}, and it is not in the file (make ledger-update)"]
    labels = COLUMNS if len(got) > 1 else ("",)
    wrong = [f"{label} {text}".strip() for label, have, was in zip(labels, got, reached) if (text := judge_number(have, was))]
    goal = book["goals"].get(group, {}).get(name)
    if goal is not None and got[0] > goal:
        wrong.append(f"{got[0]:,} is above the goal of {goal:,}")
    return wrong


def judge(measured, book):
    """[(group, line, what is wrong)]"""
    faults = [(group, name, text) for group, lines in measured.items() for name, got in lines.items()
              for text in judge_line(group, name, got, book)]
    for group in measured:
        faults += [(group, name, "in the file, and nothing reached it (make ledger-update)")
                   for name in book["lines"].get(group, {}) if name not in measured[group]]
    return faults


# ---- the file

def load():
    with open(FILE, encoding="utf-8") as file:
        return json.load(file)


def save(book):
    """One line of the ledger a line of the file, for diffs that can be read."""
    parts = [f'  "comment": {json.dumps(book["comment"])},\n  "goals": {json.dumps(book["goals"], indent=2, sort_keys=True)},']
    groups = []
    for group, lines in sorted(book["lines"].items()):
        rows = ",\n".join(f"      {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(lines.items()))
        groups.append(f'    "{group}": {{\n{rows}\n    }}')
    parts.append('  "lines": {\n' + ",\n".join(groups) + "\n  }")
    with open(FILE, "w", encoding="utf-8") as file:
        file.write("{\n" + "\n".join(parts) + "\n}\n")


def update(measured):
    book = load()
    book["lines"].update(measured)
    save(book)
    report.write(book)


def show(measured, faults):
    nr_lines = sum(len(lines) for lines in measured.values())
    for group, name, text in faults:
        print(f"ledger: {group}: {name}: {text}")
    bad = len({(group, name) for group, name, _ in faults})
    for group in ("linux", "masked", "boot", "stack", "size"):
        for name, value in measured.get(group, {}).items():
            print(f"{name:84}{value[0]:>14,}")
    print(f"{nr_lines - bad} passed, {bad} failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what was measured to tests/perf/ledger.json and docs/ledger.md")
    parser.add_argument("--check-doc", action="store_true", help="only: is docs/ledger.md what the file says?")
    parser.add_argument("--build", default=os.path.join(runs.run.BUILD, "arm64"), metavar="DIR", help="the build to measure")
    parser.add_argument("--timeout", type=int, default=3600, metavar="S", help="seconds for one machine, of a hang")
    options = parser.parse_args()
    if options.check_doc:
        sys.exit(report.check(load()))
    try:
        measured = measure(runs.Build(options.build), options.timeout)
    except (runs.RunError, runs.run.SetupError, stack.StackError, subprocess.TimeoutExpired) as error:
        sys.exit(f"ledger: error: {error}\n0 passed, 1 failed")
    with open(os.path.join(runs.OUT, "measured.json"), "w", encoding="utf-8") as file:
        json.dump(measured, file, indent=1, sort_keys=True)
    if options.update:
        update(measured)
    faults = judge(measured, load())
    show(measured, faults)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
