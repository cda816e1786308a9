#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest of the stock toolstack costs in instructions, on Debian's Xen 4.17 and on Bulkhead.

Boots the control domain with the stock toolstack under both, on one CPU with the instruction clock. A script in it
(tools/bench/xl/dom0.sh) creates a stock Linux guest and uses its disk and network; a QEMU plugin
(tools/bench/xl/insncount.c) counts instructions between the marks that the scripts execute. Nothing is typed, no disk or
card of QEMU's takes part: a run gives the same figures on every host.

Fails when Bulkhead is not below Xen in a figure, or above its budget in tests/perf/budgets_xl.json. Writes
build/bench/xl-*.json, and docs/performance.md with its chart when asked to (--write).
"""
import argparse
import bisect
import collections
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", "qemu"), os.path.join(ROOT, "tools", "image")]
import ramdisk  # noqa: E402  pylint: disable=wrong-import-position
import run  # noqa: E402  pylint: disable=wrong-import-position
import xlreport  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.join(ROOT, "tools", "bench", "xl")
OUT = os.path.join(run.BUILD, "bench")
BUDGETS = os.path.join(ROOT, "tests", "perf", "budgets_xl.json")
ELF = os.path.join(run.BUILD, "arm64", "bulkhead.elf")
PROGRAMS = ("mark", "stream")       # tools/bench/xl/*.c, for both guests
NM = "aarch64-linux-gnu-nm"
XEN_TEXT = (0x200000, 0x400000)     # where Xen 4.17 maps itself on arm64
ENTRY = 99                          # insncount.c: a kernel's first instruction
PING = re.compile(r"round-trip min/avg/max = [\d.]+/([\d.]+)/[\d.]+ ms")
DONE = re.compile(r"xlbench: done (\d+) MiB (\d+) pings")

# name, the marks around it, what one unit of it is
PHASES = (("create", 0, ENTRY, "one"), ("boot", ENTRY, 1, "one"), ("disk_read", 2, 3, "MiB"), ("disk_write", 3, 4, "MiB"),
          ("net_out", 4, 5, "MiB"), ("net_in", 6, 7, "MiB"), ("ping", 8, 9, "ping"))


class BenchError(Exception):
    """A run that gave no figures; the text says why."""


# ---- what is booted

def compile_c(command, source, target):
    command = command + ["-Wall", "-Wextra", "-Werror", "-O2", "-o", target, os.path.join(HERE, source)]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError as error:
        raise BenchError(f"no compiler {command[0]}\ncure: tools/setup/host.sh") from error
    except subprocess.CalledProcessError as error:
        raise BenchError(f"{source} does not compile; see the messages above") from error


def read(path):
    with open(path, "rb") as file:
        return file.read()


def add_programs(archive):
    for name in PROGRAMS:
        archive.add_host("bin/" + name, os.path.join(OUT, name))


def initrd():
    """The control domain's ramdisk of mkdom0.py, and behind it an archive with what the bench adds."""
    for name in ("dom0-xl.cpio.gz", "domu.cpio.gz"):
        if not os.path.exists(os.path.join(run.BUILD, "dom0", name)):
            raise BenchError(f"no {name}\ncure: tools/image/mkdom0.py")
    guest = ramdisk.Archive()
    add_programs(guest)
    guest.add_host("bin/bench", os.path.join(HERE, "guest.sh"))
    guest.add_file("etc/inittab", b"::sysinit:/etc/rcS\n::once:/bin/bench\n")
    dom0 = ramdisk.Archive()
    add_programs(dom0)
    dom0.add_host("etc/rc.d/zbench", os.path.join(HERE, "dom0.sh"))
    dom0.add_host("etc/xen/bench.cfg", os.path.join(HERE, "bench.cfg"))
    dom0.add_host("bench/vmlinuz", os.path.join(run.BUILD, "peer", "vmlinuz"))
    dom0.add_file("bench/domu.cpio.gz", padded(os.path.join(run.BUILD, "dom0", "domu.cpio.gz")) + guest.image())
    target = os.path.join(OUT, "xl.cpio")
    with open(target, "wb") as file:
        file.write(padded(os.path.join(run.BUILD, "dom0", "dom0-xl.cpio.gz")) + dom0.image())
    return target


def padded(path):
    """A file's bytes; an archive that is not packed must begin at a multiple of 4."""
    data = read(path)
    return data + b"\0" * (-len(data) % 4)


def prepare():
    """Compiles what is to be compiled; gives (plugin, ramdisk)."""
    os.makedirs(OUT, exist_ok=True)
    plugin = os.path.join(OUT, "insncount.so")
    compile_c(["gcc", "-shared", "-fPIC"], "insncount.c", plugin)
    for name in PROGRAMS:
        compile_c(["aarch64-linux-gnu-gcc", "-static", "-s", "-Wl,--build-id=none"], name + ".c", os.path.join(OUT, name))
    return plugin, initrd()


# ---- running and counting

def symbols():
    """(addresses, names) of Bulkhead's functions, sorted."""
    lines = subprocess.check_output([NM, "-n", ELF], text=True).splitlines()
    fields = [words for words in map(str.split, lines) if len(words) == 3 and words[1] in "tT"]
    pairs = [(int(address, 16), name) for address, _, name in fields]
    return [address for address, _ in pairs], [name.split(".")[0] for _, name in pairs]


def text_of(hyp):
    if hyp == "xen":
        return XEN_TEXT
    addresses, names = symbols()
    return addresses[names.index("image_start")] if "image_start" in names else addresses[0], addresses[-1] + 4096


def boot(hyp, plugin, disk, timeout):
    """The console and the marks of one run."""
    low, high = text_of(hyp)
    marks = os.path.join(OUT, f"xl-{hyp}.marks")
    machine = run.Machine(hyp, smp=1, mem=2048, icount=True, initrd=disk, reboot=False)
    machine.extra = ["-machine", "dtb-randomness=off",
                     "-plugin", f"{plugin},out={marks},low={low:#x},high={high:#x}"]
    done = subprocess.run(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    text = done.stdout.decode(errors="replace").replace("\r", "")
    with open(os.path.join(OUT, f"xl-{hyp}.log"), "w", encoding="utf-8") as file:
        file.write(text)
    if not DONE.search(text) or not PING.search(text):
        raise BenchError(f"the run on {hyp} did not finish; its console's last lines:\n" + "\n".join(text.splitlines()[-25:]))
    return text, read_marks(marks)


def read_marks(path):
    """[(number, all, hypervisor, {address: instructions since the mark before}), ...]"""
    marks = []
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == "MARK":
                marks.append((int(words[1]), int(words[2]), int(words[3]), collections.Counter()))
            else:
                marks[-1][3][int(words[1], 16)] += int(words[2])
    return marks


def between(marks, first, last):
    """Indexes of mark FIRST and of mark LAST behind it; the last pair of them."""
    end = max(i for i, mark in enumerate(marks) if mark[0] == last)
    return max(i for i, mark in enumerate(marks[:end]) if mark[0] == first), end


def figures_of(text, marks):
    """{figure: instructions}: all and the hypervisor's alone, for one unit of each phase."""
    mib, pings = (int(number) for number in DONE.search(text).groups())
    units = {"one": 1, "MiB": mib, "ping": pings}
    figures = {}
    for name, first, last, unit in PHASES:
        start, end = between(marks, first, last)
        figures[name] = (marks[end][1] - marks[start][1]) // units[unit]
        figures[name + "_hyp"] = (marks[end][2] - marks[start][2]) // units[unit]
    # ping says milliseconds; one instruction is one nanosecond of the machine's time.
    figures["ping_round_trip"] = round(float(PING.findall(text)[-1]) * 1e6)
    return figures


def print_profile(marks, rows):
    """Where Bulkhead's own instructions went, function by function."""
    addresses, names = symbols()
    for name, first, last, _ in PHASES:
        start, end = between(marks, first, last)
        spent = collections.Counter()
        for mark in marks[start + 1:end + 1]:
            for address, count in mark[3].items():
                spent[names[bisect.bisect_right(addresses, address) - 1]] += count
        total = sum(spent.values())
        print(f"{name}: {total:,} instructions of the hypervisor")
        for function, count in spent.most_common(rows):
            print(f"  {count:>14,} {100 * count / total:5.1f}% {function}")


# ---- the verdict

def verdict(figure, columns):
    """OK, or what is wrong with Bulkhead's figure."""
    ours, xen = (columns.get(hyp, {}).get(figure["name"]) for hyp in ("bulkhead", "xen"))
    if ours is None:
        return ""
    if xen is not None and ours >= xen:
        return "NOT BELOW XEN"
    return "OVER BUDGET" if ours > figure["budget"] else "OK"


def table(figures, columns):
    """Prints the table; gives the names of the figures that are not good."""
    bad = []
    print(f"{'instructions':46}{'counted':12}{'Xen 4.17':>15}{'Bulkhead':>15}{'budget':>15}")
    for figure in figures:
        word = verdict(figure, columns)
        cells = [columns.get(hyp, {}).get(figure["name"]) for hyp in ("xen", "bulkhead")] + [figure["budget"]]
        print(f"{figure['title']:46}{figure['counts']:12}" + "".join(f"{cell:>15,}" if cell is not None else f"{'-':>15}" for cell in cells), word)
        if word not in ("", "OK"):
            bad.append(figure["name"])
    print(f"{len(figures) - len(bad)} passed, {len(bad)} failed")
    return bad


def measure(options):
    plugin, disk = prepare()
    columns = {}
    for hyp in options.hyp:
        text, marks = boot(hyp, plugin, disk, options.timeout)
        columns[hyp] = figures_of(text, marks)
        with open(os.path.join(OUT, f"xl-{hyp}.json"), "w", encoding="utf-8") as file:
            json.dump(columns[hyp], file, indent=2, sort_keys=True)
        if options.profile and hyp == "bulkhead":
            print_profile(marks, options.profile)
    return columns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hyp", action="append", choices=("xen", "bulkhead"), help="only this one (may be repeated)")
    parser.add_argument("--profile", type=int, metavar="N", help="the N functions of Bulkhead that cost most, in each phase")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md from the figures")
    parser.add_argument("--timeout", type=int, default=600, metavar="S", help="seconds for one hypervisor")
    options = parser.parse_args()
    options.hyp = options.hyp or ["xen", "bulkhead"]
    if not shutil.which("qemu-system-aarch64"):
        sys.exit("xlbench: error: no qemu-system-aarch64\ncure: tools/setup/host.sh")
    with open(BUDGETS, encoding="utf-8") as file:
        figures = json.load(file)["figures"]
    try:
        columns = measure(options)
    except (BenchError, run.SetupError, subprocess.TimeoutExpired) as error:
        sys.exit(f"xlbench: error: {error}")
    bad = table(figures, columns)
    if options.write and len(columns) == 2 and not bad:
        xlreport.write(figures, columns)
    if bad:
        sys.exit("xlbench: not good: " + ", ".join(bad))


if __name__ == "__main__":
    main()
