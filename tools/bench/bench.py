#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the hypervisor's paths cost in instructions, beside Debian's Xen 4.17.

Boots guests/bench.c as the control domain on an emulated machine that counts instructions (one instruction is one
nanosecond of its time), so figures are the same on every host. Prints a table, writes build/bench/*.json and fails
when Bulkhead exceeds a goal of tests/perf/budgets.json, or, where the goal is not met yet, the figure reached.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "qemu"))
import run  # noqa: E402  pylint: disable=wrong-import-position

MIB = 1 << 20
PAGE = 4096
PAYLOAD = os.path.join(run.BUILD, "guests", "bench.bin")
BUDGETS = os.path.join(ROOT, "tests", "perf", "budgets.json")
OUT = os.path.join(run.BUILD, "bench")
MACHINE_MIB = 2048
DOM0_MIB = 768
BOOT_CPUS = (2, 4, 8)
FIGURE = re.compile(r"BENCH (\w+) ticks (\d+) iterations (\d+)")
FOR_GUESTS = re.compile(r"\(BH\) Memory for guests: (\d+) of \d+ KiB")
VALUE = re.compile(r"BENCH (\w+) (\d+)\s*$", re.MULTILINE)


class BenchError(Exception):
    """The payload did not run to its end."""


def console_of(hyp, smp, timeout):
    """What the payload prints on hypervisor HYP with SMP CPUs, one of them the payload's."""
    machine = run.Machine(hyp, smp=smp, mem=MACHINE_MIB, dom0_mem=DOM0_MIB, dom0_vcpus=1, icount=True,
                          kernel=PAYLOAD, initrd=None, reboot=False)
    done = subprocess.run(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False)
    text = done.stdout.decode(errors="replace")
    if "GUEST PASS" not in text:
        raise BenchError(f"the payload did not finish on {hyp} with {smp} CPUs; the console's last lines:\n"
                         + "\n".join(text.splitlines()[-15:]))
    return text


def figures_of(text):
    """{name: instructions per operation} from the payload's lines, and its plain values."""
    values = {name: int(number) for name, number in VALUE.findall(text)}
    per_tick = 1e9 / values["frequency"]
    figures = {name: int(ticks) * per_tick / int(count) for name, ticks, count in FIGURE.findall(text)}
    if "free_pages" in values:
        used = (values["free_pages"] + values["dom0_pages"]) * PAGE
        figures["lost_bytes"] = MACHINE_MIB * MIB - used
    for_guests = FOR_GUESTS.search(text)
    if for_guests:  # Bulkhead counts it itself when boot is over
        figures["lost_bytes"] = MACHINE_MIB * MIB - int(for_guests.group(1)) * 1024
    return figures


def measure(hyp, boot_cpus, timeout):
    figures = figures_of(console_of(hyp, 1, timeout))
    for smp in boot_cpus:
        figures[f"boot_smp{smp}"] = figures_of(console_of(hyp, smp, timeout))["boot"]
    figures["image_bytes"] = os.path.getsize(run.hypervisor_path(hyp))
    return figures


def show(number):
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 10000 else f"{number:,.1f}".removesuffix(".0")


def verdict(figure, ours):
    """OK; "not yet": over the goal, within what it is known to cost; OVER: worse than that."""
    if figure["goal"] is None or ours is None:
        return ""
    if ours <= figure["goal"]:
        return "OK"
    return "not yet" if ours <= figure.get("reached", 0) else "OVER"


def table(figures, columns):
    """Prints the table; returns the names of the figures over their goal."""
    over = []
    print(f"{'path':48}{'field':>13}{'Xen 4.17':>13}{'Bulkhead':>13}{'goal':>12}")
    for figure in figures:
        values = [columns.get(hyp, {}).get(figure["name"]) for hyp in ("xen", "bulkhead")]
        word = verdict(figure, values[1])
        cells = "".join(f"{show(value):>13}" for value in [figure["field"]] + values)
        print(f"{figure['title']:48}{cells}{show(figure['goal']):>12} {word}")
        if word == "OVER":
            over.append(figure["name"])
    for figure in figures:
        if "rest" in figure and verdict(figure, columns.get("bulkhead", {}).get(figure["name"])) == "not yet":
            print(f"not yet: {figure['title']}: {figure['rest']}")
    good = sum(1 for figure in figures if verdict(figure, columns.get("bulkhead", {}).get(figure["name"])) in ("OK", "not yet"))
    print(f"{good} passed, {len(over)} failed")
    return over


def save(name, data):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2, sort_keys=True)
        file.write("\n")


def measure_all(options):
    columns = {}
    for hyp in options.hyp:
        try:
            run.hypervisor_path(hyp)
        except run.SetupError as error:
            print(f"bench: {hyp} left out: {error}", file=sys.stderr)
            continue
        columns[hyp] = measure(hyp, () if options.quick else BOOT_CPUS, options.timeout)
        save(hyp, columns[hyp])
    return columns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hyp", action="append", choices=("xen", "bulkhead"), help="only this one (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="leave out the boots with several CPUs")
    parser.add_argument("--timeout", type=int, default=120, metavar="S", help="seconds for one boot")
    options = parser.parse_args()
    options.hyp = options.hyp or ["xen", "bulkhead"]
    if not os.path.exists(PAYLOAD):
        sys.exit(f"bench: error: no payload at {PAYLOAD}\ncure: make guests")
    with open(BUDGETS, encoding="utf-8") as file:
        figures = json.load(file)["figures"]
    try:
        columns = measure_all(options)
    except (BenchError, run.SetupError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench: error: {error}")
    over = table(figures, columns)
    save("summary", {"columns": columns, "over": over, "figures": figures})
    if over:
        sys.exit("bench: over budget: " + ", ".join(over))


if __name__ == "__main__":
    main()
