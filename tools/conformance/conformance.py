#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conformance matrix: what a guest observes on Bulkhead, line by line beside Debian's Xen 4.17.

Boots the guest of guests/conform on both, as the control domain and as a guest of the stock toolstack, with each
interrupt controller, and compares its lines. A difference is explained by a pattern of tools/conformance/differences.txt,
with its reason, or it is a fault. So is an explanation that matches nothing, and a row of the hypercall and register
tables for which no line exists. Writes docs/conformance.md with --write; without it, checks that it is up to date.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import hashlib
import io
import json
import os
import re
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", name) for name in ("qemu", "check", "docs")]
import ends  # noqa: E402  pylint: disable=wrong-import-position
import tables  # noqa: E402  pylint: disable=wrong-import-position
from console import Console, ConsoleError  # noqa: E402  pylint: disable=wrong-import-position
from run import BUILD, HYPERVISORS, Machine, SetupError  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(BUILD, "conformance")
GUEST = os.path.join(BUILD, "guests", "conform.bin")
DIFFERENCES = os.path.join(HERE, "differences.txt")
TARGET = os.path.join(ROOT, "docs", "conformance.md")
ENDED_WELL = "GUEST PASS 1"

CPU = "cortex-a53"
Config = collections.namedtuple("Config", "role gic cpu", defaults=(CPU,))
OTHER_CPUS = ("cortex-a72", "max")
CONFIGS = [*(Config("dom0", 3, cpu) for cpu in OTHER_CPUS),
           *(Config(role, gic) for role in ("dom0", "domU") for gic in (3, 2))]
# What depends on the CPU.
CPU_SECTIONS = "firmware sysregs faults el0"
LINE = re.compile(r"= (.+?) \| (.+?) \| (.*)")
SERIES = re.compile(r"(.* )([0-9a-f]+)\+([0-9a-f]+)/([0-9a-f]+)")
DOMU_CFG = 'name = "conform"\nkernel = "/tmp/conform.bin"\nmemory = 64\nvcpus = 2\n'
SAME, PURPOSE, OPEN, FAULT = "same", "on purpose", "open", "different"


def name_of(config):
    """As --only takes it: dom0-3, dom0-3-max."""
    return "-".join([config.role, str(config.gic)] + [word for word in config[2:] if word not in (CPU, "all")])


# ---- lines

def expand(row, case, result):
    """The (row, case) of a line, one for each offset of a series."""
    series = SERIES.fullmatch(case)
    if not series:
        yield (row, case), result
        return
    first, size, step = (int(series.group(n), 16) for n in (2, 3, 4))
    for at in range(first, first + size, step):
        yield (row, f"{series.group(1)}{at:x}"), result


def lines_of(text):
    """{(row, case): result} of what the guest printed; a case that comes again has its number."""
    found = {}
    for line in text.replace("\r", "").split("\n"):
        match = LINE.fullmatch(line)
        for (row, case), result in expand(*match.groups()) if match else ():
            row, case = tables.register_row(row, case)
            key, again = (row, case), 1
            while key in found:
                again += 1
                key = (row, f"{case} #{again}")
            found[key] = result
    return found


# ---- explanations

class Explanations:
    """tools/conformance/differences.txt: paragraphs of a reason and the patterns it explains."""

    def __init__(self, text):
        self.reasons = []       # (reason, is it open)
        self.patterns = []      # (number of the line, reason, roles, row, case, Xen's, ours)
        self.used = collections.Counter()
        reason = None
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("= "):
                status, reason = re.fullmatch(r"= (open: )?(.+)", line).groups()
                reason = (reason, bool(status))
                self.reasons.append(reason)
                continue
            cells = [cell.strip() for cell in line.split(" | ")]
            if reason is None or len(cells) != 4:
                raise ValueError(f"differences.txt:{number}: row | case | Xen's | ours, below a reason")
            self.patterns.append((number, reason, cells))

    def explain(self, config, row, case, xen, ours):
        """The (reason, open) of a difference; None when there is none."""
        for number, reason, cells in self.patterns:
            where, _, name = cells[0].rpartition(": ")
            if where in ("", config.role, config.cpu) and all(fnmatch.fnmatchcase(value, cell) for value, cell
                                           in zip((row, case, xen, ours), [name] + cells[1:])):
                self.used[number] += 1
                return reason
        return None

    def stale(self):
        return [f"differences.txt:{number}: explains nothing: {' | '.join(cells)}" for number, _, cells in self.patterns
                if not self.used[number]]


# ---- comparing

Difference = collections.namedtuple("Difference", "config row case xen ours verdict reason")


def compare(config, xen, ours, explanations):
    """(number of lines that are the same by row, [Difference])"""
    same, different = collections.Counter(), []
    for key in sorted(set(xen) | set(ours)):
        there, here = xen.get(key, "no line"), ours.get(key, "no line")
        if there == here:
            same[key[0]] += 1
            continue
        reason = explanations.explain(config, *key, there, here)
        verdict = FAULT if reason is None else OPEN if reason[1] else PURPOSE
        different.append(Difference(config, *key, there, here, verdict, reason[0] if reason else ""))
    return same, different


def judge(results, explanations, rows):
    """(same, different, faults): results is {(hypervisor, config): lines}, rows what must have a line."""
    same, different, faults = collections.Counter(), [], []
    seen = set()
    for config in sorted({config for _, config in results}):
        xen, ours = results["xen", config], results["bulkhead", config]
        if not xen or not ours:
            faults.append(f"{name_of(config)}: no lines")
        equal, other = compare(config, xen, ours, explanations)
        same.update(equal)
        different += other
        seen |= {row for row, _ in ours}
    faults += [f"{name_of(one.config)}: {one.row} | {one.case} | Xen: {one.xen} | here: {one.ours}"
               for one in different if one.verdict == FAULT]
    faults += explanations.stale()
    faults += [f"no case for {row} ({where})" for row, where in rows if row not in seen]
    return same, different, faults


# ---- running

def log_of(hyp, config):
    return os.path.join(OUT, f"{hyp}-{name_of(config)}.log")


def dom0_machine(hyp, config, words, **parts):
    return Machine(hyp, kernel=GUEST, initrd=None, gic=config.gic, cpu=config.cpu, smp=2, mem=1024, dom0_mem=256,
                   dom0_vcpus=2, icount=True, dom0_args=words, **parts)


def run_dom0(hyp, config):
    """What the guest prints in place of the control domain's kernel."""
    machine = dom0_machine(hyp, config, "" if config.cpu == CPU else CPU_SECTIONS, reboot=False)
    with Console(machine, log_of(hyp, config)) as console:
        console.expect(rb"GUEST (PASS|FAIL) \d+")
        return console.data.decode("utf-8", "replace")


def write_archive(path):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        archive.add(GUEST, "conform.bin")
        for name, text in (("conform.cfg", DOMU_CFG), ("ends", ends.SCRIPT)):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def has_ends(config):
    """Once is enough: nothing in them asks the interrupt controller."""
    return config.role == "domU" and config.gic == 3


def run_domu(hyp, config):
    """What it prints as a guest that the stock xl made."""
    archive = os.path.join(OUT, f"{hyp}-gicv{config.gic}.tar")
    write_archive(archive)
    machine = Machine(hyp, xl=True, icount=True, gic=config.gic, smp=2, mem=2048, dom0_vcpus=1, disks=[(archive, "mmio")],
                      hyp_args="guest_loglvl=none")
    with Console(machine, log_of(hyp, config)) as console:
        console.wait_ready()
        console.check("dmesg -n 1")
        console.check("tar -C /tmp -xf /dev/$(cd /sys/block; grep -l ^mmio0 vd*/serial | cut -d/ -f1)")
        console.check("xl create /tmp/conform.cfg")
        log = "/var/log/xen/console/guest-conform.log"
        # A hang shows as silence: the loop says something as long as the guest does.
        console.check(f"s=; until ! xl domid conform >/dev/null 2>&1; do sleep 1; n=$(wc -l <{log}); "
                      '[ "$n" = "$s" ] || echo $n; s=$n; done')
        text = console.check(f"cat {log}")
        return text + "\n" + (console.check("sh /tmp/ends " + " ".join(ends.DOMAIN)) if has_ends(config) else "")


RUNS = {"dom0": run_dom0, "domU": run_domu}


def fingerprint(hyp, config):
    """What the lines follow from."""
    digest = hashlib.sha256(repr(config).encode())
    paths = [HYPERVISORS[hyp], GUEST, os.path.join(ROOT, "tools", "qemu", "run.py"), __file__]
    if has_ends(config):
        paths.append(ends.__file__)
    if config.role == "domU":
        paths += [Machine(hyp, xl=True).initrd, Machine(hyp).kernel]
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def run_one(hyp, config, keep):
    """The guest's lines; those of the reference are kept as long as all they follow from is the same, ours if asked."""
    kept, mark = log_of(hyp, config) + ".json", fingerprint(hyp, config)
    if hyp == "xen" or keep:
        try:
            with open(kept, encoding="utf-8") as file:
                found = json.load(file)
            if found["fingerprint"] == mark:
                return lines_of(found["text"])
        except (OSError, ValueError, KeyError):
            pass
    text = RUNS[config.role](hyp, config)
    if not re.search(f"^{ENDED_WELL}$", text.replace("\r", ""), re.M):
        raise ConsoleError(f"the guest did not end well; see {log_of(hyp, config)}")
    with open(kept, "w", encoding="utf-8") as file:
        json.dump({"fingerprint": mark, "text": text}, file)
    return lines_of(text)


def run_all(configs, jobs, keep):
    """{(hypervisor, config): lines}"""
    os.makedirs(OUT, exist_ok=True)
    wanted = [(hyp, config) for config in reversed(configs) for hyp in ("xen", "bulkhead")]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(zip(wanted, pool.map(lambda one: run_one(*one, keep), wanted)))


# ---- the report

HEAD = """# Conformance

<!-- Made by tools/conformance/conformance.py (make conformance). Do not edit. -->

What the guest of guests/conform observes, line by line, beside Debian's Xen
4.17 for arm64: as the control domain and as a guest of the stock toolstack,
with GICv2 and GICv3, on an emulated cortex-a53; what depends on the CPU also
on cortex-a72 and on QEMU's max. A line is one case: a hypercall with its
arguments and its answer, a register read or written at one width, a firmware
call, an instruction or a fault at EL1 or EL0, the end of a domain.

| word | meaning |
|---|---|
| same | both give the same line |
| on purpose | they differ, and a reason below says why |
| open | they differ, and it is not decided what is right |

"""


def table(heads, lines):
    out = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    out += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def counts_of(same, different, group):
    """{group: Counter of verdicts}"""
    counts = collections.defaultdict(collections.Counter)
    for row, number in same.items():
        counts[group(row)][SAME] += number
    for one in different:
        counts[group(one.row)][one.verdict] += 1
    return counts


def counted(counts, names):
    for name in names:
        one = counts[name]
        yield (name, sum(one.values()), one[SAME], one[PURPOSE] or "", one[OPEN] or "")


def reasons_part(different, explanations, is_open):
    lines = []
    for reason, opened in explanations.reasons:
        mine = [one for one in different if one.reason == reason]
        if opened != is_open or not mine:
            continue
        rows = sorted({one.row for one in mine})
        shown = ", ".join(rows[:3]) + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")
        example = mine[0]
        lines.append((reason, len(mine), shown, f"`{example.case}`: `{example.xen}`, here `{example.ours}`"))
    return table(("reason", "lines", "rows", "example"), lines) if lines else "None.\n"


def render(same, different, explanations):
    heads = ("what", "lines", SAME, PURPOSE, OPEN)
    areas = counts_of(same, different, tables.area_of)
    rows = counts_of(same, different, lambda row: row)
    out = [HEAD, "## In all\n\n", table(heads, counted(areas, sorted(areas)))]
    out += ["\n## Different on purpose\n\n", reasons_part(different, explanations, False)]
    out += ["\n## Open\n\n", reasons_part(different, explanations, True)]
    for area in sorted(areas):
        out += [f"\n## {area}\n\n", table(heads, counted(rows, sorted(row for row in rows if tables.area_of(row) == area)))]
    return "".join(out)


def up_to_date(text, write):
    if write:
        with open(TARGET, "w", encoding="utf-8") as file:
            file.write(text)
        return []
    with open(os.path.join(OUT, "conformance.md"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(TARGET, encoding="utf-8") as file:
        return [] if file.read() == text else ["docs/conformance.md is not what was seen\ncure: make conformance-doc"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="docs/conformance.md anew")
    parser.add_argument("--only", choices=[name_of(config) for config in CONFIGS],
                        help="%(choices)s: no document, no stale reasons")
    parser.add_argument("--keep", action="store_true", help="use our own earlier lines too, if nothing has changed")
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time")
    options = parser.parse_args()
    configs = [config for config in CONFIGS if options.only in (None, name_of(config))]
    with open(DIFFERENCES, encoding="utf-8") as file:
        explanations = Explanations(file.read())
    try:
        results = run_all(configs, options.jobs, options.keep)
    except (SetupError, ConsoleError) as error:
        sys.exit(f"conformance: error: {error}")
    same, different, faults = judge(results, explanations, tables.rows_needed(ROOT))
    if options.only:
        faults = [fault for fault in faults if not fault.startswith(("differences.txt", "no case"))]
    else:
        faults += up_to_date(render(same, different, explanations), options.write)
    for fault in faults:
        print(fault)
    opened = sum(one.verdict == OPEN for one in different)
    print(f"{sum(same.values())} lines the same, {len(different)} different, {opened} of them open")
    # A row of a table is one check, however many lines it has.
    print(f"{len(set(same) | {one.row for one in different})} passed, {len(faults)} failed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
