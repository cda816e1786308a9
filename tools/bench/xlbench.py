#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a guest of the stock toolstack costs in instructions, on Debian's Xen 4.17 and on Bulkhead, and on no hypervisor.

Boots the control domain with the stock toolstack under both, on one CPU with the instruction clock. A script in it
(tools/bench/xl/dom0.sh) creates a stock Linux guest and uses its disk and network; a QEMU plugin
(tools/bench/xl/insncount.c) counts instructions between the marks that the scripts execute. Nothing is typed, no disk or
card of QEMU's takes part: a run gives the same figures on every host. What needs neither, the same kernel and ramdisk
also does on a machine of the guest's size without a hypervisor.

Disk and network cards are runs of their own (tools/bench/xl/devices.sh), in which the control domain's own drivers use
them, or those of the bare machine: figures dev_*. In another one (tools/bench/xl/cards.sh) a guest does, served by the
control domain: pv_*, and pv_smmu_* behind an SMMUv3; then, there, as its own: pt_*. How often the machine wakes up before
QEMU's disk is done depends on the host: what such a disk costs for a MiB is shown, but has no limit ("late" in the budgets);
its limit is what one entry into the hypervisor costs there, on average.

Fails when Bulkhead is not below Xen in a figure with a budget, or above its budget in tests/perf/budgets_xl.json. Writes
build/bench/xl-*.json.
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
sys.path[:0] = [os.path.join(ROOT, "tools", part) for part in ("bench", "qemu", "image")]
import bench  # noqa: E402  pylint: disable=wrong-import-position
import ramdisk  # noqa: E402  pylint: disable=wrong-import-position
import domains  # noqa: E402  pylint: disable=wrong-import-position
import run  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.join(ROOT, "tools", "bench", "xl")
OUT = os.path.join(run.BUILD, "bench")
BUDGETS = os.path.join(ROOT, "tests", "perf", "budgets_xl.json")
ELF = os.path.join(run.BUILD, "arm64", "bulkhead.elf")
COLUMNS = ("native", "xen", "bulkhead")
PROGRAMS = ("mark", "spawn", "stream")      # tools/bench/xl/*.c, for both guests
NM = "aarch64-linux-gnu-nm"
XEN_TEXT = (0x200000, 0x400000)     # where Xen 4.17 maps itself on arm64
NO_TEXT = (1, 2)                    # nothing runs there
GUEST_MIB = 128                     # as in bench.cfg
ENTRY = 99                          # insncount.c: a kernel's first instruction
PING = re.compile(r"round-trip min/avg/max = [\d.]+/([\d.]+)/[\d.]+ ms")
DONE = re.compile(r"xlbench: done (\d+) MiB (\d+) pings")
INIT = re.compile(r"\[ *([\d.]+)\] Run /bin/mark as init process")
LOAD = re.compile(r"^load (\d+) build (\w+)\s*$", re.MULTILINE)

# name, the marks around it, what one unit of it is
PHASES = (("create", 0, ENTRY, "one"), ("boot", ENTRY, 1, "one"), ("disk_read", 2, 3, "MiB"), ("disk_write", 3, 4, "MiB"),
          ("net_out", 4, 5, "MiB"), ("net_in", 6, 7, "MiB"), ("ping", 8, 9, "ping"), ("spawn", 10, 11, "process"), ("build", 11, 12, "one"))
# Of devices.sh; of those that come several times the least: a host that is late makes QEMU's disk late.
DEVICE_PHASES = (("disk_read", 2, 3, "MiB"), ("disk_write", 3, 4, "MiB"), ("net", 5, 6, "MiB"), ("ping", 8, 9, "ping"))
# Of cards.sh: the same, then what only two sides have.
CARD_PHASES = (*DEVICE_PHASES[:2], ("net_out", 4, 5, "MiB"), ("net_in", 6, 7, "MiB"), DEVICE_PHASES[-1])
CARDS_END = 14              # behind all of one guest
LATE = ("disk_read", "disk_write")      # of both
LOWER_EL = (0x400, 0x480)   # of the vectors, where guests enter: their traps, and interrupts
CARDS_TREE = os.path.join(ROOT, "examples", "pci", "guest.dts")
STAGE_2 = ["-global", "arm-smmuv3.stage=2"]
MESSAGE_GUEST = os.path.join(run.BUILD, "guests", "bench_its.bin")  # a third card's
PARTS = ("guests", "devices", "cards")
# A disk that is as fast as QEMU is, and two cards with a wire between them.
CARDS = ("-blockdev", "driver=null-co,node-name=nvm,size=67108864,read-zeroes=on", "-device", "nvme,drive=nvm,serial=nvm,addr=1",
         "-netdev", "hubport,id=here,hubid=0", "-device", "e1000e,netdev=here,addr=2,romfile=,mac=52:54:00:00:00:01",
         "-netdev", "hubport,id=there,hubid=0", "-device", "e1000e,netdev=there,addr=3,romfile=,mac=52:54:00:00:00:02")


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


def initrds():
    """{name: ramdisk}: those of mkdom0.py, and behind each what the bench adds."""
    for name in ("dom0.cpio.gz", "dom0-xl.cpio.gz", "domu.cpio.gz", "dom0-pci.cpio.gz", "domu-pci.cpio.gz"):
        if not os.path.exists(os.path.join(run.BUILD, "dom0", name)):
            raise BenchError(f"no {name}\ncure: tools/image/mkdom0.py")
    guest = ramdisk.Archive()
    add_programs(guest)
    guest.add_host("bin/bench", os.path.join(HERE, "guest.sh"))
    guest.add_host("bin/buildload", os.path.join(HERE, "build.sh"))
    guest.add_file("etc/inittab", b"::sysinit:/etc/rcS\n::once:/bin/bench\n")
    dom0 = ramdisk.Archive()
    add_programs(dom0)
    dom0.add_host("etc/rc.d/zbench", os.path.join(HERE, "dom0.sh"))
    dom0.add_host("etc/xen/bench.cfg", os.path.join(HERE, "bench.cfg"))
    dom0.add_host("bench/vmlinuz", os.path.join(run.BUILD, "peer", "vmlinuz"))
    domu = write_initrd("domu", guest)
    dom0.add_host("bench/domu.cpio.gz", domu)
    small = ramdisk.Archive()
    add_programs(small)
    cards = ramdisk.Archive()
    add_programs(cards)
    cards.add_host("etc/rc.d/zbench", os.path.join(HERE, "devices.sh"))
    cards.add_host("etc/wire.sh", os.path.join(HERE, "wire.sh"))
    return {"domu": domu, "dom0-xl": write_initrd("dom0-xl", dom0), "dom0": write_initrd("dom0", small),
            "devices": write_initrd("dom0", cards, "devices"), "cards": cards_initrd()}


def cards_initrd():
    """That of cards.sh, its guest's in it."""
    guest = ramdisk.Archive()
    add_programs(guest)
    guest.add_host("bin/bench", os.path.join(HERE, "cards_guest.sh"))
    guest.add_file("etc/inittab", b"::sysinit:/etc/rcS\n::once:/bin/bench\n")
    dom0 = ramdisk.Archive()
    add_programs(dom0)
    dom0.add_host("etc/rc.d/zbench", os.path.join(HERE, "cards.sh"))
    dom0.add_host("etc/wire.sh", os.path.join(HERE, "wire.sh"))
    for name in ("served", "given", "message"):
        dom0.add_host(f"etc/xen/{name}.cfg", os.path.join(HERE, f"{name}.cfg"))
    dom0.add_host("bench/vmlinuz", os.path.join(run.BUILD, "peer", "vmlinuz"))
    dom0.add_host("bench/bench_its.bin", MESSAGE_GUEST)
    dom0.add_host("bench/cards.cpio.gz", write_initrd("domu-pci", guest, "cards-guest"))
    dom0.add_file("bench/guest.dtb", read(domains.compile_tree(read(CARDS_TREE).decode(), os.path.join(run.BUILD, "trees"))))
    return write_initrd("dom0-pci", dom0, "cards")


def write_initrd(name, added, as_name=None):
    target = os.path.join(OUT, f"xl-{as_name or name}.cpio")
    with open(target, "wb") as file:
        file.write(padded(os.path.join(run.BUILD, "dom0", name + ".cpio.gz")) + added.image())
    return target


def padded(path):
    """A file's bytes; an archive that is not packed must begin at a multiple of 4."""
    data = read(path)
    return data + b"\0" * (-len(data) % 4)


def counter():
    """The plugin that counts instructions."""
    os.makedirs(OUT, exist_ok=True)
    plugin = os.path.join(OUT, "insncount.so")
    compile_c(["gcc", "-shared", "-fPIC"], "insncount.c", plugin)
    return plugin


def prepare():
    """Compiles what is to be compiled; gives (plugin, ramdisks)."""
    plugin = counter()
    for name in PROGRAMS:
        compile_c(["aarch64-linux-gnu-gcc", "-static", "-s", "-Wl,--build-id=none"], name + ".c", os.path.join(OUT, name))
    return plugin, initrds()


# ---- running and counting

def symbols():
    """(addresses, names) of Bulkhead's functions, sorted."""
    lines = subprocess.check_output([NM, "-n", ELF], text=True).splitlines()
    fields = [words for words in map(str.split, lines) if len(words) == 3 and words[1] in "tT"]
    pairs = [(int(address, 16), name) for address, _, name in fields]
    return [address for address, _ in pairs], [name.split(".")[0] for _, name in pairs]


def text_of(column):
    if column == "native":
        return NO_TEXT
    if column == "xen":
        return XEN_TEXT
    addresses, names = symbols()
    return addresses[names.index("image_start")] if "image_start" in names else addresses[0], addresses[-1] + 4096


def machine_of(column, ramdisks):
    if column == "native":
        # A seed for its random numbers: a guest of xl has enough events for them, this one would mix anew for each.
        return run.Machine(native=True, smp=1, mem=GUEST_MIB, icount=True, initrd=ramdisks["domu"], reboot=False,
                           dom0_args="nokaslr guest=bench rdinit=/bin/mark -- 1 /init")
    machine = run.Machine(column, smp=1, mem=2048, icount=True, initrd=ramdisks["dom0-xl"], reboot=False)
    machine.extra = ["-machine", "dtb-randomness=off"]
    return machine


def boot(column, plugin, machine, timeout, name=None):
    """The console and the marks of one run."""
    low, high = text_of(column)
    name = name or f"xl-{column}"
    marks = os.path.join(OUT, f"{name}.marks")
    machine.extra += ["-plugin", f"{plugin},out={marks},low={low:#x},high={high:#x}"]
    done = subprocess.run(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    text = done.stdout.decode(errors="replace").replace("\r", "")
    with open(os.path.join(OUT, f"{name}.log"), "w", encoding="utf-8") as file:
        file.write(text)
    if done.returncode or not os.path.exists(marks):
        raise BenchError(f"{name}: QEMU ended with {done.returncode}:\n{text[-2000:]}")
    return text, read_marks(marks)


def must_have(column, text, *patterns):
    if not all(pattern.search(text) for pattern in patterns):
        raise BenchError(f"the run on {column} did not finish; its console's last lines:\n" + "\n".join(text.splitlines()[-25:]))


def kernel_figures(column, plugin, ramdisks, timeout):
    """The stock kernel as the control domain's, or on the bare machine: its first instruction to init."""
    machine = run.Machine("bulkhead" if column == "native" else column, native=column == "native", smp=1, icount=True,
                          mem=1024 if column == "native" else 2048, dom0_mem=1024, initrd=ramdisks["dom0"], reboot=False,
                          dom0_args="nokaslr rdinit=/bin/mark -- 13 /bin/busybox poweroff -f")
    text, marks = boot(column, plugin, machine, timeout)
    must_have(column, text, INIT)
    start, end = between(marks, ENTRY, 13)
    # One instruction is one nanosecond of the machine's time, and so of the kernel's clock.
    return {"kernel": marks[end][1] - marks[start][1], "kernel_hyp": marks[end][2] - marks[start][2],
            "kernel_elapsed": round(float(INIT.search(text).group(1)) * 1e9)}


def device_figures(column, plugin, ramdisks, timeout, smmu=False):
    """The control domain's own cards, or the bare machine's: by MSI-X; on Debian's Xen, which has no ITS, by INTx."""
    # The seed of the device tree stays: without it the kernel would mix each interrupt into its random numbers.
    machine = run.Machine("bulkhead" if column == "native" else column, native=column == "native", smp=1, icount=True,
                          mem=512 if column == "native" else 1024, dom0_mem=512, initrd=ramdisks["devices"], reboot=False,
                          dom0_args="nokaslr", board_options=",iommu=smmuv3" if smmu else "")
    machine.extra = list(CARDS) + (STAGE_2 if smmu else [])
    kind = "dev_smmu" if smmu else "dev"
    text, marks = boot(column, plugin, machine, timeout, f"xl-{kind}-{column}")
    must_have(column, text, DONE, PING)
    units = dict(zip(("MiB", "ping"), map(int, DONE.search(text).groups())))
    return {**least(kind, DEVICE_PHASES, marks, units), **entries(column, kind, DEVICE_PHASES, marks),
            f"{kind}_ping_round_trip": round(float(PING.findall(text)[-1]) * 1e6)}


def pairs_of(marks, first, last):
    """All pairs of such a mark and such a one right behind it."""
    return [(old, new) for old, new in zip(marks, marks[1:]) if (old[0], new[0]) == (first, last)]


def entries(column, kind, phases, marks):
    """{figure: the hypervisor's instructions for each time that a guest enters it} of LATE, of all times they come."""
    if column != "bulkhead":
        return {}
    addresses, names = symbols()
    vectors = addresses[names.index("vectors")]
    figures = {}
    for name, first, last, _ in phases:
        if name in LATE:
            pairs = pairs_of(marks, first, last)
            times = sum(new[4][vectors + offset] for _, new in pairs for offset in LOWER_EL)
            figures[f"{kind}_{name}_entry"] = sum(new[2] - old[2] for old, new in pairs) // times
    return figures


def least(kind, phases, marks, units):
    """{figure: instructions} for one unit of each phase; of those that come several times the least."""
    figures = {}
    for name, first, last, unit in phases:
        pairs = pairs_of(marks, first, last)
        for suffix, place in (("", 1), ("_hyp", 2)):
            figures[f"{kind}_{name}{suffix}"] = min(new[place] - old[place] for old, new in pairs) // units[unit]
    return figures


def card_figures(column, plugin, ramdisks, options, smmu=False):
    """A guest's disk and card: PV ones that the control domain serves from its own; behind an SMMU also these themselves."""
    machine = run.Machine(column, smp=1, icount=True, mem=2048, dom0_vcpus=1, initrd=ramdisks["cards"], reboot=False,
                          dom0_args="nokaslr" + ("" if smmu else " cards=served"), board_options=",iommu=smmuv3" if smmu else "")
    machine.extra = list(CARDS) + ([*STAGE_2, "-device", "edu,addr=4"] if smmu else [])
    text, marks = boot(column, plugin, machine, options.timeout, f"xl-cards{'_smmu' if smmu else ''}-{column}")
    must_have(column, text, DONE, PING)
    units = dict(zip(("MiB", "ping"), map(int, DONE.search(text).groups())))
    ends = [number for number, mark in enumerate(marks) if mark[0] == CARDS_END]
    trips = PING.findall(text)[1::2]    # each behind one that only warms up
    figures, start = {}, 0
    for kind, end, trip in zip(("pv_smmu", "pt") if smmu else ("pv", ), ends, trips):
        figures.update(least(kind, CARD_PHASES, marks[start:end], units))
        figures.update(entries(column, kind, CARD_PHASES, marks[start:end]))
        figures[f"{kind}_ping_round_trip"] = round(float(trip) * 1e6)
        if options.profile and column == "bulkhead":
            print_profile(marks[start:end], options.profile, CARD_PHASES, kind)
        start = end
    if smmu:
        figures["pt_message"] = round(bench.figures_of(text)[0]["lpi_to_vector"])
    return figures


def read_marks(path):
    """[(number, all, hypervisor, {address: instructions since the mark before}, {address: how often}), ...]"""
    marks = []
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] == "MARK":
                marks.append((int(words[1]), int(words[2]), int(words[3]), collections.Counter(), collections.Counter()))
            else:
                for counter, word in zip(marks[-1][3:], words[2:]):
                    counter[int(words[1], 16)] += int(word)
    return marks


def between(marks, first, last):
    """Indexes of mark FIRST and of mark LAST behind it; the last pair of them."""
    end = max(i for i, mark in enumerate(marks) if mark[0] == last)
    return max(i for i, mark in enumerate(marks[:end]) if mark[0] == first), end


def figures_of(text, marks):
    """{figure: instructions}: all and the hypervisor's alone, for one unit of each phase that took place."""
    units = {"one": 1, "process": int(LOAD.search(text).group(1))}
    done = DONE.search(text)
    if done:
        units.update(zip(("MiB", "ping"), map(int, done.groups())))
    seen = {mark[0] for mark in marks}
    figures = {}
    for name, first, last, unit in PHASES:
        if not {first, last} <= seen:
            continue
        start, end = between(marks, first, last)
        figures[name] = (marks[end][1] - marks[start][1]) // units[unit]
        figures[name + "_hyp"] = (marks[end][2] - marks[start][2]) // units[unit]
    if done:  # ping says milliseconds; one instruction is one nanosecond of the machine's time.
        figures["ping_round_trip"] = round(float(PING.findall(text)[-1]) * 1e6)
    return figures


def by_function(spent):
    """{function: instructions} from {address: instructions}."""
    addresses, names = symbols()
    functions = collections.Counter()
    for address, count in spent.items():
        functions[names[bisect.bisect_right(addresses, address) - 1]] += count
    return functions


def print_profile(marks, rows, phases, kind):
    """Where Bulkhead's own instructions went, function by function."""
    for name, first, last, _ in phases:
        start, end = between(marks, first, last)
        spent = by_function(sum((mark[3] for mark in marks[start + 1:end + 1]), collections.Counter()))
        total = sum(spent.values())
        print(f"{kind} {name}: {total:,} instructions of the hypervisor")
        for function, count in spent.most_common(rows):
            print(f"  {count:>14,} {100 * count / total:5.1f}% {function}")


# ---- the verdict

def verdict(figure, columns):
    """OK, or what is wrong with Bulkhead's figure; "": nothing to say."""
    ours, xen = (columns.get(hyp, {}).get(figure["name"]) for hyp in ("bulkhead", "xen"))
    if ours is None or figure.get("late"):
        return ""
    if xen is not None and ours >= xen * (1 + figure.get("noise", 0) / 100):
        return "NOT BELOW XEN"
    return "OVER BUDGET" if ours > figure["budget"] else "OK"


def table(figures, columns):
    """Prints the table; gives the names of the figures that are not good."""
    bad = []
    print(f"{'instructions':50}{'counted':12}{'native':>15}{'Xen 4.17':>15}{'Bulkhead':>15}{'budget':>15}")
    for figure in figures:
        word = verdict(figure, columns)
        cells = [columns.get(column, {}).get(figure["name"]) for column in COLUMNS] + [figure.get("budget")]
        if figure["counts"] == "hypervisor":
            cells[0] = None
        print(f"{figure['title']:50}{figure['counts']:12}" + "".join(f"{cell:>15,}" if cell is not None else f"{'-':>15}" for cell in cells), word)
        if word not in ("", "OK"):
            bad.append(figure["name"])
    print(f"{sum('budget' in figure for figure in figures) - len(bad)} passed, {len(bad)} failed")
    return bad


def guest_figures(column, plugin, ramdisks, options):
    """(figures, the build's result)"""
    figures = kernel_figures(column, plugin, ramdisks, options.timeout)
    text, marks = boot(column, plugin, machine_of(column, ramdisks), options.timeout)
    must_have(column, text, LOAD, *(() if column == "native" else (DONE, PING)))
    if options.profile and column == "bulkhead":
        print_profile(marks, options.profile, PHASES, "guest")
    return {**figures, **figures_of(text, marks)}, LOAD.search(text).group(2)


def measure(options):
    plugin, ramdisks = prepare()
    columns, built = {}, set()
    for column in options.hyp:
        figures, target = {}, os.path.join(OUT, f"xl-{column}.json")
        if "guests" in options.part:
            figures, result = guest_figures(column, plugin, ramdisks, options)
            built.add(result)
        if "devices" in options.part:
            figures.update(device_figures(column, plugin, ramdisks, options.timeout))
            if column == "bulkhead":
                figures.update(device_figures(column, plugin, ramdisks, options.timeout, smmu=True))
        if "cards" in options.part and column != "native":
            figures.update(card_figures(column, plugin, ramdisks, options))
            if column == "bulkhead":
                figures.update(card_figures(column, plugin, ramdisks, options, smmu=True))
        columns[column] = figures
        if options.part != PARTS and os.path.exists(target):
            figures = {**json.loads(read(target)), **figures}
        with open(target, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2, sort_keys=True)
    if len(built) > 1:
        raise BenchError("the build's result is not the same everywhere: " + ", ".join(sorted(built)))
    return columns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hyp", action="append", choices=COLUMNS, help="only this one (may be repeated)")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be repeated); other figures stay as written")
    parser.add_argument("--profile", type=int, metavar="N", help="the N functions of Bulkhead that cost most, in each phase")
    parser.add_argument("--timeout", type=int, default=7200, metavar="S", help="seconds for one hypervisor, of a hang")
    options = parser.parse_args()
    options.hyp = options.hyp or COLUMNS
    options.part = options.part or PARTS
    if not os.path.exists(MESSAGE_GUEST):
        sys.exit(f"xlbench: error: no {MESSAGE_GUEST}\ncure: make guests")
    if not shutil.which("qemu-system-aarch64"):
        sys.exit("xlbench: error: no qemu-system-aarch64\ncure: tools/setup/host.sh")
    with open(BUDGETS, encoding="utf-8") as file:
        figures = json.load(file)["figures"]
    try:
        columns = measure(options)
    except (BenchError, run.SetupError, subprocess.TimeoutExpired) as error:
        sys.exit(f"xlbench: error: {error}")
    bad = table(figures, columns)
    if bad:
        sys.exit("xlbench: not good: " + ", ".join(bad))


if __name__ == "__main__":
    main()
