# SPDX-License-Identifier: Apache-2.0
"""Pools of CPUs with different policies, from the device tree and by the stock toolstack: Debian's Xen for arm64 has
neither the binding nor these policies, so what is printed is written here."""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain
from test_arinc653 import ONE, PLAN, TIME, compiled
from xl import run_steps, step

pytestmark = pytest.mark.xdist_group("pools_boot")

GUESTS = os.path.join(ROOT, "build", "guests")
STATIC = os.path.join(GUESTS, "static_dom.bin")
RESTART = os.path.join(GUESTS, "restart.bin")
WINDOWS = os.path.join(GUESTS, "windows.bin")
KEYS = "\x01\x01\x01"       # three times ctrl-a: the keyboard goes on to the next
# The boot CPU and another one are in no node of the tree: they are Pool-0, the others follow in the order of the tree.
CHOSEN = """
    exact: pool_a { compatible = "xen,cpupool"; cpupool-cpus = <&{/cpus/cpu@3}>; cpupool-sched = "null"; };
    pool_b { compatible = "xen,cpupool"; cpupool-cpus = <&{/cpus/cpu@2}>; cpupool-sched = "rtds"; };
"""
LISTS = "xl cpupool-list | tail -n +2; xl cpupool-list -c | tail -n +2"


def pools(*rows):
    """Lines of the two lists: (name, CPUs, policy, domains)."""
    return [f"{name:<21}{len(cpus.split(',')) if cpus else 0}{sched:>10}       y          {n}" for name, cpus, sched, n in rows] + \
        [f"{name:<19}{cpus}".rstrip() for name, cpus, _, _ in rows]


# (name, command, lines; None: it is to end with 0, whatever it says)
STEPS = [
    ("at-boot", LISTS, pools(("Pool-0", "0,1", "credit2", 1), ("Pool-1", "3", "null", 1), ("Pool-2", "2", "rtds", 0))),
    ("placed", "xl vcpu-list | awk '{print $1, $2, $3, $4}' | sort -u | grep -v '^Domain-0'", None),
    ("guest", f"xl create /etc/xen/one.cfg 'uuid=\"{ONE}\"' && guest one --wait && guest one 'echo runs'", None),
    ("to-rtds", "xl cpupool-migrate one Pool-2 && guest one 'echo runs' && xl sched-rtds -d one | tail -1",
     ["runs", f"one                                  2     10000      4000        yes"]),
    ("rtds-params", "xl sched-rtds -d one -v all -p 20000 -b 10000 -e 1 && guest one 'echo runs' && "
                    "xl sched-rtds -d one -v all | tail -1",
     ["runs", f"one                                  2    0     20000     10000        yes"]),
    ("not-its-policy", "xl sched-credit2 -d one -w 100 2>/dev/null || echo refused", None),
    ("null-pool", "xl cpupool-cpu-remove Pool-0 1 && xl cpupool-create 'name=\"alone\"' 'sched=\"null\"' 'cpus=\"1\"' >/dev/null && "
                  "xl cpupool-migrate one alone && guest one 'echo runs'; " + LISTS,
     ["runs"] + pools(("Pool-0", "0", "credit2", 1), ("Pool-1", "3", "null", 1), ("Pool-2", "2", "rtds", 0),
                      ("alone", "1", "null", 1))),
    ("two-on-null", "xl create /etc/xen/two.cfg 'vcpus=1' 'pool=\"Pool-2\"' && guest two --wait && guest two 'echo runs'", None),
    ("back", "xl cpupool-migrate one Pool-0 && guest one 'echo runs' && xl cpupool-migrate two Pool-0 && guest two 'echo runs' && "
             "xl cpupool-destroy alone && xl cpupool-destroy Pool-2 && xl cpupool-cpu-add Pool-0 1-2; " + LISTS,
     ["runs", "runs"] + pools(("Pool-0", "0,1,2", "credit2", 3), ("Pool-1", "3", "null", 1))),
    ("credit2-again", "xl sched-credit2 -d one -w 512 && xl sched-credit2 -d one | tail -1",
     ["one                                  2    512    0"]),
    # Windows of 2 of 10 ms, in a pool that has no dom0 in it: 1 of 5 s, though its CPU has nothing else to do.
    ("frames", "xl cpupool-cpu-remove Pool-0 2 && xl cpupool-create 'name=\"frames\"' 'sched=\"arinc653\"' 'cpus=\"2\"' "
               "> /dev/null; " + LISTS,
     pools(("Pool-0", "0,1", "credit2", 3), ("Pool-1", "3", "null", 1), ("frames", "2", "arinc653", 0))),
    ("not-its-cpu", f"POOL=2 plan set 10000000 {ONE} 0x10000 2000000 || xl dmesg | tail -1 | grep -o 'arinc653.*'",
     ["set: Invalid argument", "arinc653: plan refused: window 0 names a CPU that is not in the pool"]),
    ("plan", f"plan get; POOL=2 plan set 10000000 {ONE} 0x20000 2000000 && POOL=2 plan get && "
             "xl cpupool-migrate one frames && guest one 'echo runs'",
     ["get: Invalid argument", "frame 10000000", f"{ONE} 0x20000 2000000", "runs"]),
    ("share", f"guest one 'while :; do :; done &'; sleep 1; a=$({TIME}); sleep 5; b=$({TIME}); "
              "echo $a $b | awk '{ d = $2 - $1; print (d > 0.85 && d < 1.15) ? \"1 s\" : d }'", ["1 s"]),
    ("out-again", "xl cpupool-migrate one Pool-0 && guest one 'echo runs' && POOL=2 plan get && xl cpupool-migrate one frames && "
                  "guest one 'echo runs' && xl cpupool-migrate one Pool-0 && xl cpupool-destroy frames && "
                  "xl cpupool-cpu-add Pool-0 2; " + LISTS,
     ["runs", "frame 10000000", f"{ONE} 0x20000 2000000", "runs"] +
     pools(("Pool-0", "0,1,2", "credit2", 3), ("Pool-1", "3", "null", 1))),
    ("end", "xl destroy one && xl destroy two && xl list | wc -l", ["3"]),
]


@pytest.fixture(scope="module")
def results(request):
    hyp = request.config.getoption("--hyp")
    if not os.path.exists(STATIC):
        pytest.fail(f"nothing at {STATIC}\ncure: make guests", pytrace=False)
    steps = [step("chmod", "chmod +x /bin/plan")] + [step(name, command) for name, command, _ in STEPS]
    return run_steps(hyp, "pools-boot", steps, smp=4, chosen=CHOSEN, files=[("/bin/plan", compiled("plan-pools", PLAN))],
                     domains=[Domain("bare", STATIC, text="domain-cpupool = <&exact>;")])


@pytest.mark.parametrize("name, command, lines", STEPS, ids=[one[0] for one in STEPS])
def test_pools(results, name, command, lines):
    assert name in results, f"did not end: {command}"
    got = results[name]
    assert got.status == 0, got.output
    if lines is not None:
        assert [line.rstrip() for line in got.output.split("\n")] == lines


# ---- domains of the tree, without dom0

def pool(label, cpus, sched="", more=""):
    listed = " ".join(f"&{{/cpus/cpu@{cpu}}}" for cpu in cpus)
    return f'{label}: {label} {{ compatible = "xen,cpupool"; cpupool-cpus = <{listed}>; ' + \
        (f'cpupool-sched = "{sched}"; ' if sched else "") + more + "};"


def vcpu(number, cpus):
    return f'v{number} {{ compatible = "xen,vcpu"; id = <{number}>; hard-affinity = "{cpus}"; }};'


def start(boot, chosen, domains, **parts):
    for path in (STATIC, RESTART, WINDOWS):
        if not os.path.exists(path):
            pytest.fail(f"nothing at {path}\ncure: make guests", pytrace=False)
    return boot(**{"wait": False, "kernel": None, "initrd": None, "smp": 4, "mem": 512, "icount": True, "reboot": False,
                   **parts}, chosen=chosen, domains=domains)


def where(console, nr_vcpus):
    """{domain: [(CPU, CPUs it may use)]}, by the hypervisor's key."""
    begin = console.seen = len(console.data)
    console.send("q")
    for _ in range(nr_vcpus):
        console.expect(rb"v\d \w+ on CPU \d of 0x[0-9a-f]+,")
    found = {}
    for line in console.data[begin:].decode(errors="replace").splitlines():
        name = re.search(r"\(BH\) (\S+): id", line)
        if name:
            of = found[name.group(1)] = []
        placed = re.search(r"v\d+ \w+ on CPU (\d) of (0x[0-9a-f]+),", line)
        if placed:
            of.append((int(placed.group(1)), int(placed.group(2), 16)))
    return found


@pytest.mark.parametrize("gic", (2, 3))
def test_domains_in_their_pools(boot, gic):
    """Each in its pool, on its CPUs in it, and in the pool of the boot CPU without a word; after a restart as well. What
    cannot be is refused, and the others start."""
    crashes = 'bulkhead,on-crash = "restart"; bulkhead,restart-backoff-ms = <0>; bulkhead,restart-limit = <3>;'
    console = start(boot, pool("exact", (3,), "null") + pool("wide", (1, 2), "rtds"), [
        Domain("plain", STATIC, bootargs="keyboard", cpus=2),
        Domain("victim", RESTART, bootargs="victim crash", mem=8, text="domain-cpupool = <&exact>;" + crashes),
        Domain("bound", STATIC, cpus=3, bootargs="keyboard",
               text="domain-cpupool = <&wide>;" + vcpu(0, "2") + vcpu(1, "1-2") + vcpu(2, "1")),
        Domain("outside", STATIC, text="domain-cpupool = <&wide>;" + vcpu(0, "2-3")),
        Domain("nowhere", STATIC, text="domain-cpupool = <&{/cpus/cpu@0}>;"),
    ], gic=gic)
    console.expect(rb"victim ended: .*after 3 restarts in a row")
    for _ in range(3):
        console.send(KEYS)
    console.expect(b"Input goes to the hypervisor now")
    found = where(console, 6)
    assert [cpus for _, cpus in found["plain"]] == [1, 1]
    assert found["victim"] == [(3, 8)]
    assert [cpus for _, cpus in found["bound"]] == [4, 6, 2]
    assert all(cpus >> cpu & 1 for placed in found.values() for cpu, cpus in placed)
    text = console.data.decode(errors="replace")
    assert '/chosen/outside: "hard-affinity" names a CPU that is not in the domain\'s pool' in text
    assert '/chosen/nowhere: "domain-cpupool" names no node that is compatible with "xen,cpupool"' in text
    assert "GUEST FAIL" not in text


def test_a_plan_in_a_pool(boot):
    """10^3 frames in windows to the tick, in a pool beside another, which idles: QEMU's CPUs take turns."""
    frame = "bulkhead,frame-us = <40>;"
    console = start(boot, pool("planned", (1,), "arinc653", frame), [
        Domain("one", WINDOWS, bootargs="short", vpl011=False,
               text="domain-cpupool = <&planned>; bulkhead,windows = <1 0 0 20>;"),
        Domain("two", WINDOWS, bootargs="short", vpl011=False,
               text="domain-cpupool = <&planned>; bulkhead,windows = <1 0 20 20>;")], smp=2)
    for _ in range(2):
        console.expect(rb"\((one|two)\) GUEST (PASS|FAIL)", idle=120)
    assert console.data.decode(errors="replace").count("GUEST PASS") == 2


MISTAKES = [
    ("overlap", pool("planned", (1,), "arinc653", "bulkhead,frame-us = <40>;"), "1 0 0 20 1 0 10 20",
     "windows of CPU 1 overlap 10 us after the frame begins; move one"),
    ("elsewhere", pool("planned", (1,), "arinc653", "bulkhead,frame-us = <40>;"), "0 0 0 20",
     "plan refused: window 0 names a CPU that is not in the pool"),
    ("twice", pool("planned", (1,)) + pool("again", (1,)), "", 'names a CPU that is in a pool already; leave it out'),
    ("sched", pool("planned", (1,), "credit3"), "", "is no scheduler we have; correct it"),
]


@pytest.mark.parametrize("chosen, windows, line", [one[1:] for one in MISTAKES], ids=[one[0] for one in MISTAKES])
def test_mistakes_stop_the_boot(boot, chosen, windows, line):
    text = "domain-cpupool = <&planned>;" + (f" bulkhead,windows = <{windows}>;" if windows else "")
    console = start(boot, chosen, [Domain("one", WINDOWS, vpl011=False, text=text)], smp=2)
    console.expect(re.escape(line).encode())
    console.expect(rb"Cannot boot: (plan of windows|pools of CPUs)")
