# SPDX-License-Identifier: Apache-2.0
"""The stock kernel must have no more to complain about on Bulkhead than on real Xen.

Boots the same kernel on the same machine under Debian's Xen and under the hypervisor in test, and compares the kernels'
logs. A line of level "warning" or worse that the log under Xen does not have is a failure. The whole difference, all
levels, is left in build/test-logs/klog-GIC.diff for reading.

Two runs of even the same hypervisor differ in figures, so lines are compared after normalise():
  - the time stamp goes
  - hexadecimal and decimal numbers, sizes, rates and percentages become N: addresses, counters, clock rates
  - the order goes: CPUs and drivers start at the same time
  - register dumps and stack traces go (their head line, with the cause, stays)
"""
import difflib
import os
import re

import pytest
from conftest import LOGS

WARNING = 4      # kernel log levels: 0 emergency .. 4 warning .. 7 debug

# Lines that say nothing about the hypervisor's health but differ by its nature: each with the reason.
HARMLESS = [
    (r"^Linux version ", "the same kernel, but not our words"),
    (r"^Kernel command line: ", "carries the hypervisor's additions"),
    (r"random: ", "when entropy suffices depends on timing"),
    (r"^INFO: task .* blocked for more than|hung_task_timeout_secs", "the clock runs on while all wait for the host's disk"),
]

TRACE_LINES = re.compile(r"^(x\d+ ?:|pc :|lr :|sp :|pstate:| [A-Za-z_][\w.]*\+0x|Call trace:|Modules linked in:|CPU: |Hardware name:"
                         r"|---\[|------------\[|task:|      (Not t|T)ainted)")


def parse(raw):
    """[(level, text)] of the output of `dmesg -r`: lines like <6>[    0.000000] text"""
    lines = []
    for line in raw.split("\n"):
        found = re.match(r"^<(\d+)>\[ *\d+\.\d+\] ?(.*)$", line)
        if found:
            lines.append((int(found.group(1)) & 7, found.group(2)))
    return lines


def normalise(text):
    text = re.sub(r"0x[0-9a-fA-F]+", "N", text)
    text = re.sub(r"\b[0-9a-fA-F]*\d[0-9a-fA-F]*\b(?=[\s:.,)\]-]|$)", "N", text)
    text = re.sub(r"\d+(\.\d+)?", "N", text)
    return re.sub(r"\s+", " ", text).strip()


def interesting(lines):
    """Normalised lines with what they stood for: {normalised: (level, text)}"""
    kept = {}
    for level, text in lines:
        if TRACE_LINES.match(text) or any(re.search(pattern, text) for pattern, _ in HARMLESS):
            continue
        key = normalise(text)
        if key and (key not in kept or level < kept[key][0]):
            kept[key] = (level, text)
    return kept


def complaints(ours, peers):
    """Lines of level warning or worse in ours that the peer's log does not have at that level or worse."""
    known = interesting(peers)
    found = []
    for key, (level, text) in interesting(ours).items():
        if level <= WARNING and (key not in known or known[key][0] > WARNING):
            found.append(f"<{level}> {text}")
    return found


def difference(ours, peers):
    return "\n".join(difflib.unified_diff(sorted(interesting(peers)), sorted(interesting(ours)), "xen", "hypervisor",
                                          lineterm="", n=0)) + "\n"


def kernel_log(console):
    console.check("dmesg -n 1")
    console.check("dmesg -r > /tmp/log")
    log = parse(console.check("cat /tmp/log"))
    assert len(log) > 100, "the kernel's log is cut short"
    return log


def test_the_comparison_itself():
    xen = parse("<6>[    0.000000] CPU1: Booted secondary processor 0x0000000001 [0x410fd034]\n"
                "<4>[    0.100000] cacheinfo: Unable to detect cache hierarchy for CPU 0\n"
                "<6>[    0.200000] later a warning")
    assert not complaints(parse("<4>[    0.2] cacheinfo: Unable to detect cache hierarchy for CPU 3"), xen)
    assert complaints(parse("<4>[    0.2] clocksource: wrong by 17 ns"), xen) == ["<4> clocksource: wrong by 17 ns"]
    assert complaints(parse("<3>[    0.2] later a warning"), xen) == ["<3> later a warning"]
    assert not complaints(parse("<6>[    0.2] only said, not warned of"), xen)


@pytest.mark.parametrize("gic", [pytest.param(gic, id=f"gicv{gic}", marks=pytest.mark.xdist_group(f"klog-{gic}"))
                                 for gic in (2, 3)])
def test_no_new_complaints(boot, hyp, tmp_path, gic):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    # The instruction clock: else the kernel also complains of what the host's load does to it ("interrupt took ... ns").
    parts = {"gic": gic, "smp": 4, "mem": 2048, "dom0_vcpus": 4, "icount": True, "net": "pci",
             "disks": [(str(disk), "mmio")]}
    logs = {}
    for name in ("xen", hyp):
        console = boot(hyp=name, **parts)
        logs[name] = kernel_log(console)
        console.close()
    os.makedirs(LOGS, exist_ok=True)
    with open(os.path.join(LOGS, f"klog-gicv{gic}.diff"), "w", encoding="utf-8") as file:
        file.write(difference(logs[hyp], logs["xen"]))
    assert not complaints(logs[hyp], logs["xen"])
