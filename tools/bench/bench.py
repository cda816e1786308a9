#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the hypervisor's paths cost in instructions, beside Debian's Xen 4.17 and the machine without a hypervisor.

Boots guests/bench*.c as the control domain on an emulated machine that counts instructions (one instruction is one
nanosecond of its time), so figures are the same on every host. Prints a table, writes build/bench/*.json and fails
when Bulkhead exceeds a goal of tests/perf/budgets.json, or, where the goal is not met yet, the figure reached, or,
where there is no goal, the budget.
"""
import argparse
import functools
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", "qemu"), os.path.join(ROOT, "tools", "bench")]
import run  # noqa: E402  pylint: disable=wrong-import-position
from console import Console, ConsoleError  # noqa: E402  pylint: disable=wrong-import-position
from domains import Domain  # noqa: E402  pylint: disable=wrong-import-position
import xlbench  # noqa: E402  pylint: disable=wrong-import-position

MIB = 1 << 20
PAGE = 4096
BUDGETS = os.path.join(ROOT, "tests", "perf", "budgets.json")
OUT = os.path.join(run.BUILD, "bench")
COLUMNS = ("native", "xen", "bulkhead")
MACHINE_MIB = 2048
SMALL_MIB = 128         # of the control domain where the machine's memory varies: the same in all of them
SCALE_CPUS = (2, 4, 8)
SCALE_MIB = (512, 1024, 2048, 4096, 8192, 16384)
SCALE_DOMAINS = (1, 2, 4, 8, 16, 32, 64, 128, 254)
ONE_CPU = {"dom0_vcpus": 2, "dom0_args": "one-cpu"}      # of bench_pair
MESSAGES = {"mem": 1024, "dom0_mem": 256}                # of bench_its; its card is one of QEMU's
SHARED_PAGE = (0x70000000, 0x50000000)                   # in the machine and in the guests of bench_across
FIGURE = re.compile(r"BENCH (\w+) ticks (\d+) iterations (\d+)")
FOR_GUESTS = re.compile(r"\(BH\) Memory for guests: (\d+) of \d+ KiB")
VALUE = re.compile(r"BENCH (\w+) (\d+)\s*$", re.MULTILINE)


class BenchError(Exception):
    """The payload did not run to its end."""


# ---- one run

def console_of(column, payload, timeout, parts, extra=()):
    """What guests/PAYLOAD.c prints as the control domain, or as the kernel of the bare machine."""
    machine = run.Machine("bulkhead" if column == "native" else column, icount=True, initrd=None, reboot=False,
                          native=column == "native", kernel=os.path.join(run.BUILD, "guests", payload + ".bin"),
                          **{"smp": 1, "mem": MACHINE_MIB, "dom0_mem": 768, "dom0_vcpus": 1, **parts})
    machine.extra = list(extra)
    done = subprocess.run(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False)
    text = done.stdout.decode(errors="replace")
    if "GUEST PASS" not in text:
        raise BenchError(f"{payload} {parts} did not finish on {column}; the console's last lines:\n"
                         + "\n".join(text.splitlines()[-15:]))
    return text


def figures_of(text):
    """({name: instructions per operation}, {name: plain value}) of the payload's lines."""
    values = {name: int(number) for name, number in VALUE.findall(text)}
    per_tick = 1e9 / values["frequency"]
    return {name: int(ticks) * per_tick / int(count) for name, ticks, count in FIGURE.findall(text)}, values


def lost_bytes(text, values):
    """Memory of the machine that no guest can have."""
    for_guests = FOR_GUESTS.search(text)
    if for_guests:  # Bulkhead counts it itself when boot is over
        return MACHINE_MIB * MIB - int(for_guests.group(1)) * 1024
    return MACHINE_MIB * MIB - (values["free_pages"] + values["dom0_pages"]) * PAGE


def domain_across(column, number, payload):
    """One of the two domains of bench_across, on a CPU of its own: its end of the channel, and the page, which Debian's Xen lacks."""
    text = (f'end{number}: channel {{ compatible = "xen,evtchn-v1"; xen,evtchn = <{10 + number} &end{1 - number}>; }}; '
            f'cpu {{ compatible = "xen,vcpu"; id = <0>; hard-affinity = "{number}"; }}; ')
    bootargs = "second" if number else "first"
    if column == "bulkhead":
        host, guest = SHARED_PAGE
        bootargs += " shm"
        text += ('shared { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "page"; '
                 f"xen,shared-mem = <0 {host:#x} 0 {guest:#x} 0 {PAGE:#x}>; }}; ")
    return Domain(f"across{number}", payload, bootargs=bootargs, mem=8, text=text)


def console_across(column, timeout):
    """What the two domains of bench_across print."""
    payload = os.path.join(run.BUILD, "guests", "bench_across.bin")
    machine = run.Machine(column, icount=True, kernel=None, initrd=None, reboot=False, smp=2, mem=1024,
                          domains=[domain_across(column, number, payload) for number in (0, 1)])
    with Console(machine, os.path.join(OUT, f"bench_across-{column}.log")) as console:
        for _ in machine.domains:
            if b"FAIL" in console.expect(rb"GUEST (PASS|FAIL)", idle=timeout).group(0):
                raise BenchError(f"bench_across did not finish on {column}:\n{console.tail()}")
        return console.data.decode(errors="replace")


def console_its(column, timeout, smmu=False, extra=()):
    """What bench_its prints: a PCI card's messages, with or without an SMMUv3 between the card and the ITS."""
    # highmem: the card's registers, and those of functions, are where the guest maps devices.
    options = ",highmem=off" + (",iommu=smmuv3" if smmu else "")
    stage = ["-global", "arm-smmuv3.stage=2"] if smmu else []
    return console_of(column, "bench_its", timeout, {**MESSAGES, "board_options": options}, [*stage, "-device", "edu", *extra])


# ---- the runs

def messages(column, timeout):
    """A PCI card's messages and the guest's own commands for its ITS. Debian's Xen is built without one."""
    figures = figures_of(console_its(column, timeout))[0]
    if column == "bulkhead":
        figures["lpi_smmu_to_vector"] = figures_of(console_its(column, timeout, smmu=True))[0]["lpi_to_vector"]
    return figures


def across(column, timeout):
    """Two domains on two CPUs; of what goes one way each end knows its own time."""
    figures = figures_of(console_across(column, timeout))[0]
    for name in ("across_running", "across_blocked"):
        figures[name] = figures.pop(name + "_taken") - figures.pop(name + "_sent")
    return figures


def paths(column, timeout):
    """One path after the other: one vCPU, two on two CPUs, two on one."""
    text = console_of(column, "bench", timeout, {})
    figures, values = figures_of(text)
    figures.update(figures_of(console_of(column, "bench_pair", timeout, {"smp": 2, "dom0_vcpus": 2}))[0])
    figures.update(messages(column, timeout))
    if column == "native":
        return figures
    figures["lost_bytes"] = lost_bytes(text, values)
    figures["image_bytes"] = os.path.getsize(run.hypervisor_path(column))
    figures.update(figures_of(console_of(column, "bench_pair", timeout, ONE_CPU))[0])
    figures.update(across(column, timeout))
    # Debian's Xen has no null scheduler and says so; WFI is native all the same.
    native_wfi = {"hyp_args": "sched=null vwfi=native"}
    figures["wfi_native"] = figures_of(console_of(column, "bench", timeout, native_wfi))[0]["wfi_timer_wake"]
    return figures


def boot_scale(column, timeout):
    """Reset to the control domain's first instruction, by number of CPUs and by memory."""
    figures = {}
    for cpus in SCALE_CPUS:
        text = console_of(column, "bench", timeout, {"smp": cpus, "dom0_args": "boot"})
        figures[f"boot_smp{cpus}"] = figures_of(text)[0]["boot"]
    for mib in SCALE_MIB:
        text = console_of(column, "bench", timeout, {"mem": mib, "dom0_mem": SMALL_MIB, "dom0_args": "boot"})
        figures[f"boot_mib{mib}"] = figures_of(text)[0]["boot"]
    return figures


def domain_scale(column, timeout):
    """What 1 to 254 domains cost."""
    figures, values = figures_of(console_of(column, "bench_domains", timeout, {"dom0_mem": 256}))
    figures = {"domains_" + name: figure for name, figure in figures.items()}
    other, _ = figures_of(console_of(column, "bench_domains", timeout, {"dom0_mem": 256, "smp": 2, "dom0_args": "other-cpu"}))
    figures.update({f"domains_other_{name}": figure for name, figure in other.items() if name.startswith("wake")})
    first, last = SCALE_DOMAINS[0], SCALE_DOMAINS[-1]
    pages = values[f"free_pages_{first}"] - values[f"free_pages_{last}"]
    figures["domain_bytes"] = pages * PAGE / (last - first)
    return figures


def measure(column, options):
    figures = paths(column, options.timeout)
    if column != "native" and not options.quick:
        figures.update(boot_scale(column, options.timeout))
        figures.update(domain_scale(column, options.timeout))
    return figures


# ---- what the instructions are spent on

END = 1     # the mark of guests/lib/bench.c behind each figure


def profile(rows, timeout):
    """Prints for each path the ROWS functions of Bulkhead that cost most, in instructions of one operation."""
    plugin = xlbench.counter()
    low, high = xlbench.text_of("bulkhead")
    marks = os.path.join(OUT, "paths.marks")
    spent = {}
    words = ["-plugin", f"{plugin},out={marks},low={low:#x},high={high:#x}"]
    runs = [functools.partial(console_of, "bulkhead", payload, timeout, parts, words)
            for payload, parts in (("bench", {}), ("bench_pair", {"smp": 2, "dom0_vcpus": 2}), ("bench_pair", ONE_CPU))]
    for one in (*runs, functools.partial(console_its, "bulkhead", timeout, extra=words)):
        text = one()
        ends = [mark[3] for mark in xlbench.read_marks(marks) if mark[0] == END]
        for (name, _, count), addresses in zip(FIGURE.findall(text), ends, strict=True):
            functions = xlbench.by_function(addresses)
            spent[name] = {"all": functions.total() / int(count),
                           "most": [(function, insns / int(count)) for function, insns in functions.most_common(rows)]}
            print(f"{name}: {show(spent[name]['all'])}:", ", ".join(f"{function} {show(insns)}" for function, insns in spent[name]["most"]))
    save("profile", spent)


# ---- the table

def show(number):
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 10000 else f"{number:,.1f}".removesuffix(".0")


def verdict(figure, ours):
    """OK; "not yet": over the goal, within what it is known to cost; OVER: worse than that; "": nothing to say."""
    if ours is None or ("goal" not in figure and "budget" not in figure):
        return ""
    if ours <= figure.get("goal", figure.get("budget")):
        return "OK"
    return "not yet" if ours <= figure.get("reached", 0) else "OVER"


def table(figures, columns):
    """Prints the table; returns the names of the figures over their goal."""
    words = {figure["name"]: verdict(figure, columns.get("bulkhead", {}).get(figure["name"])) for figure in figures}
    print(f"{'instructions':58}{'native':>9}{'Xen 4.17':>14}{'Bulkhead':>13}{'goal':>11}{'budget':>11}")
    for figure in figures:
        values = [columns.get(column, {}).get(figure["name"]) for column in COLUMNS]
        cells = "".join(f"{show(value):>{width}}" for value, width in zip(values, (9, 14, 13)))
        limits = "".join(f"{show(figure.get(limit)):>11}" for limit in ("goal", "budget"))
        print(f"{figure['title']:58}{cells}{limits} {words[figure['name']]}")
    for figure in figures:
        if words[figure["name"]] == "not yet":
            print(f"not yet: {figure['title']}: {figure['rest']}")
    over = [name for name, word in words.items() if word == "OVER"]
    good = sum(1 for word in words.values() if word in ("OK", "not yet"))
    print(f"{good} passed, {len(over)} failed")
    return over


def save(name, data):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2, sort_keys=True)
        file.write("\n")


def measure_all(options):
    columns = {}
    for column in options.hyp:
        try:
            if column != "native":
                run.hypervisor_path(column)
        except run.SetupError as error:
            print(f"bench: {column} left out: {error}", file=sys.stderr)
            continue
        columns[column] = measure(column, options)
        save(column, columns[column])
    return columns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hyp", action="append", choices=COLUMNS, help="only this one (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="leave out what varies CPUs, memory and domains")
    parser.add_argument("--profile", type=int, metavar="N", help="only say for each path which N functions of Bulkhead cost most")
    parser.add_argument("--timeout", type=int, default=3600, metavar="S", help="seconds for one boot, of a hang")
    options = parser.parse_args()
    options.hyp = options.hyp or COLUMNS
    if not os.path.exists(os.path.join(run.BUILD, "guests", "bench.bin")):
        sys.exit("bench: error: no payload in build/guests\ncure: make guests")
    with open(BUDGETS, encoding="utf-8") as file:
        figures = json.load(file)["figures"]
    try:
        if options.profile:
            return profile(options.profile, options.timeout)
        columns = measure_all(options)
    except (BenchError, ConsoleError, xlbench.BenchError, run.SetupError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench: error: {error}")
    over = table(figures, columns)
    save("summary", {"columns": columns, "over": over, "figures": figures})
    return "bench: over budget: " + ", ".join(over) if over else None


if __name__ == "__main__":
    sys.exit(main())
