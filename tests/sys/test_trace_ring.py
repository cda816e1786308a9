# SPDX-License-Identifier: Apache-2.0
"""The events that every CPU of Bulkhead always keeps, read by the stock tools of a running control domain:
xl debug-keys T, xl dmesg; and bulkhead-trace's pictures of that text.
"""
import base64
import collections
import gzip
import json
import os
import subprocess
import sys

import pytest
from conftest import LOGS, ROOT
from domains import Domain
from run import BUILD
from test_static import require

sys.path.insert(0, os.path.join(ROOT, "tools", "trace"))
import records  # noqa: E402
import ring  # noqa: E402
from timeline import Timeline  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "trace", "bulkhead-trace")
TICK = os.path.join(BUILD, "examples", "bare-metal.bin")       # wakes up each second
BUSY = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
READ = "xl dmesg -c >/dev/null; xl debug-keys T; xl dmesg | gzip | base64"
WAKE, BLOCK, NEXT = 0x28004, 0x28006, 0x2800f
TO_RUNNABLE, TO_RUNNING = 0x21211, 0x21101
SCHED = (records.RUNSTATE, WAKE, BLOCK, NEXT)
GUEST = (1, 0)
SYSCTL = 35


@pytest.fixture(name="log")
def fixture_log(boot, hyp, request):
    """log(args): what the tools print of a machine with a guest that sleeps and wakes while the control domain is busy."""
    if hyp == "xen":
        pytest.skip("Bulkhead's own ring")
    require(TICK)

    def get(args, smp):
        console = boot(xl=True, smp=smp, mem=1024, dom0_mem=512, dom0_vcpus=1, icount=True, hyp_args=args,
                       domains=[Domain("tick", TICK, mem=32, enhanced=None)])
        console.check(f"sleep 3; {BUSY}; sleep 1")
        text = gzip.decompress(base64.b64decode(console.check(READ)))
        path = os.path.join(LOGS, request.node.name + ".dmesg")
        with open(path, "wb") as file:
            file.write(text)
        return path, text
    return get


def who_of(one):
    """(domain, vCPU) of a record of the scheduler."""
    if one.event in (WAKE, BLOCK, NEXT):
        return one.words[0], one.words[1]
    return one.words[0] >> 16, one.words[0] & 0xffff


def tool(*words):
    done = subprocess.run([TOOL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_all_events(log, tmp_path):
    """A guest's wake-up from its interrupt to its run, in order; calls; who ran. Each CPU's last events are there."""
    path, text = log("trace_all", 2)
    assert b"overwritten" not in text, "of its own CPU's ring while it prints"
    found = ring.read(text)
    streams = collections.defaultdict(list)
    for one in found:
        streams[one.cpu].append(one)
    assert sorted(streams) == [0, 1]
    assert all(len(stream) >= 60 for stream in streams.values())
    kinds = {records.kind_of(one.event) for one in found}
    assert {records.RUNSTATE, records.HYPERCALL, records.IRQ, WAKE, BLOCK, NEXT} <= kinds
    assert SYSCTL in {one.words[0] & 0xfffff for one in found if one.event == records.HYPERCALL}, "the one that asked"
    woken = 0
    for stream in streams.values():
        of_guest = [one for one in stream if records.kind_of(one.event) in SCHED and who_of(one) == GUEST]
        for place, one in enumerate(of_guest[:-3]):
            if one.event == WAKE:
                assert [after.event for after in of_guest[place:place + 4]] == [WAKE, TO_RUNNABLE, NEXT, TO_RUNNING]
                woken += 1
    assert woken >= 3
    line = Timeline(found, 1000000000)
    assert {GUEST, (0, 0)} <= set(line.who_ran()) and line.calls and line.interrupts
    waits = [one.end - one.begin for one in line.waits if one.who == GUEST and one.woken]
    assert waits and max(waits) < 10000, "ns until an idle CPU runs it"
    # The guest's interrupt comes before its wake-up: the CPU's last before that.
    irqs = [one.end for one in line.interrupts]
    assert all(any(begin - 20000 < end <= begin + 20000 for end in irqs) for begin in
               (one.begin for one in line.waits if one.who == GUEST and one.woken))
    tool("--json", tmp_path / "t.json", "--svg", tmp_path / "t.svg", path)
    names = {event.get("args", {}).get("name") for event in json.loads((tmp_path / "t.json").read_text())["traceEvents"]}
    assert "d1.0" in names and "<svg" in (tmp_path / "t.svg").read_text()
    assert "d1: wake-up to run" in tool(path)


def test_what_is_always_there(log):
    """Without the option: switches between vCPUs, of two that share a CPU here."""
    path, text = log("", 1)
    assert b" XEN " not in text
    found = ring.read(text)
    assert {one.event for one in found} == {TO_RUNNING} and {who_of(one) for one in found} == {GUEST, (0, 0)}
    assert all(len({one.words for one in found[place:place + 2]}) == 2 for place in range(len(found) - 1)), "they take turns"
    assert f"on 1 CPUs: {len(found)} runs, 0 interrupts, 0 hypercalls" in tool(path)


def test_broken_text(tmp_path):
    """Lines that are cut off, doubled, of somebody else or nonsense: what is whole counts, once; nothing is no trace."""
    good = (b"(BH)   1.000000010 CPU 0 XEN event=0x21101 w01=0x10000 w23=0\n"
            b"(BH)   1.000000500 CPU 0 XEN event=0x21011 w01=0x10000 w23=0\n")
    bad = (b"(BH)   1.0000005 CPU 0 XEN event=0x21101 w01=0x10000 w23=0\n(BH)   2.000000000 CPU 1 XEN event=0x211\n(BH) d1: hello\n"
           b"(BH)   2.000000000 CPU 1 XEN event=zz w01=0 w23=0\n(BH)   CPU 1: 3 events were overwritten\n\xff\x00(BH)   3.0")
    assert [one.ns for one in ring.read(good[:30] + b"\n" + bad + good + bad + good)] == [1000000010, 1000000500]
    assert not ring.read(bad) and not ring.read(b"")
    (tmp_path / "log").write_bytes(bad)
    done = subprocess.run([TOOL, tmp_path / "log"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error" in done.stderr
