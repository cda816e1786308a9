# SPDX-License-Identifier: Apache-2.0
"""What domains get of the CPUs in a minute of their time: weights, caps, and how late one that sleeps wakes up.

The instruction clock goes eight times as fast as it does elsewhere (an instruction is 8 ns), so that a minute is over in
a few seconds of the host; the hypervisor's own time then weighs eight times as much.
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain

pytestmark = pytest.mark.xdist_group("shares")

SHARES = os.path.join(ROOT, "build", "guests", "shares.bin")
SHIFT = 3


def run(boot, case, roles, smp=1, cpus=1):
    """(percent of one CPU of each domain, everything they said)"""
    if not os.path.exists(SHARES):
        pytest.fail(f"nothing at {SHARES}\ncure: make guests", pytrace=False)
    domains = [Domain(f"dom{i}", SHARES, vpl011=False, mem=16, cpus=cpus, bootargs=role) for i, role in enumerate(roles, 1)]
    console = boot(wait=False, kernel=SHARES, initrd=None, gic=3, smp=smp, mem=512, dom0_mem=64, dom0_vcpus=1, icount=True,
                   icount_shift=SHIFT, reboot=False, dom0_args=case, domains=domains)
    console.expect(rb"(?m)^GUEST (PASS|FAIL)", idle=300)
    text = console.data.decode(errors="replace")
    assert "FAIL" not in text, text
    return [100 * int(ns) / int(of) for ns, of in re.findall(r"SHARE d\d ns (\d+) of (\d+)", text)], text


def close(got, want, percent=1):
    """Each within 1 % of what it should be."""
    assert len(got) == len(want)
    for have, should in zip(got, want):
        assert abs(have - should) <= should * percent / 100, (got, want)


def gaps(text):
    return [int(us) for us in re.findall(r"GAP us (\d+)", text)]


@pytest.mark.parametrize("cpus", [1, 2])
def test_weights(boot, cpus):
    """1:2:4, with a vCPU of each domain on each CPU. None waits for longer than the slices of the others take."""
    got, text = run(boot, "weights", ["load"] * 3, smp=cpus, cpus=cpus)
    print(got, gaps(text))
    close(got, [100 * cpus * part / 7 for part in (1, 2, 4)])
    assert len(gaps(text)) == 3 and (cpus > 1 or max(gaps(text)) < 30000)


@pytest.mark.parametrize("case, want", [("equal", [66.7, 66.7, 66.7]), ("free", [33.3, 66.7, 100])])
def test_one_too_many(boot, case, want):
    """Three on two CPUs, pinned nowhere: as if time could be cut at will."""
    got, text = run(boot, case, ["load"] * 3, smp=2)
    print(got, gaps(text))
    close(got, want, 3)


def test_caps(boot):
    """10 % and 25 % of the one CPU; the rest is the third's."""
    got, text = run(boot, "caps", ["load"] * 3)
    print(got, gaps(text))
    close(got, [10, 25, 65])


def test_caps_of_several_vcpus(boot):
    """Each has two vCPUs and one cap for both. On one CPU: QEMU lets a CPU whose timer has expired wait, for 50 ms and more,
    until the next deadline of another; what its vCPUs miss of a capped period is lost. The host's model has four CPUs."""
    got, text = run(boot, "wide", ["load"] * 3, cpus=2)
    print(got, gaps(text))
    close(got, [35, 17, 48])


def test_sleeper(boot):
    """One that works 100 us in 3.8 ms beside two that are always busy is late by no more than the rate limit."""
    got, text = run(boot, "equal", ["io", "load", "load"])
    rounds, mean_us, worst_us = (int(n) for n in re.search(r"LATE n (\d+) mean us (\d+) worst us (\d+)", text).groups())
    print(got, rounds, mean_us, worst_us, gaps(text))
    assert rounds > 15000
    assert worst_us < 2100 and mean_us < 200
    close(got[1:], [(100 - got[0]) / 2] * 2)
