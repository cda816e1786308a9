# SPDX-License-Identifier: Apache-2.0
"""Pools of CPUs with different policies, from the device tree and by the stock toolstack: Debian's Xen for arm64 has
neither the binding nor these policies, so what is printed is written here."""
import os

import pytest
from conftest import ROOT
from domains import Domain
from xl import run_steps, step, sub

pytestmark = pytest.mark.xdist_group("pools_boot")

STATIC = os.path.join(ROOT, "build", "guests", "static_dom.bin")
# The boot CPU and another one are in no node of the tree: they are Pool-0, the others follow in the order of the tree.
CHOSEN = """
    exact: pool_a { compatible = "xen,cpupool"; cpupool-cpus = <&{/cpus/cpu@3}>; cpupool-sched = "null"; };
    pool_b { compatible = "xen,cpupool"; cpupool-cpus = <&{/cpus/cpu@2}>; cpupool-sched = "rtds"; };
"""
LISTS = "xl cpupool-list | tail -n +2; xl cpupool-list -c | tail -n +2"
TIME = sub(r" +\d+\.\d\b", " T")


def pools(*rows):
    """Lines of the two lists: (name, CPUs, policy, domains)."""
    return [f"{name:<21}{len(cpus.split(',')) if cpus else 0}{sched:>10}       y          {n}" for name, cpus, sched, n in rows] + \
        [f"{name:<19}{cpus}".rstrip() for name, cpus, _, _ in rows]


# (name, command, lines; None: it is to end with 0, whatever it says)
STEPS = [
    ("at-boot", LISTS, pools(("Pool-0", "0,1", "credit2", 1), ("Pool-1", "3", "null", 1), ("Pool-2", "2", "rtds", 0))),
    ("placed", "xl vcpu-list | awk '{print $1, $2, $3, $4}' | sort -u | grep -v '^Domain-0'", None),
    ("guest", "xl create /etc/xen/one.cfg && guest one --wait && guest one 'echo runs'", None),
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
    ("end", "xl destroy one && xl destroy two && xl list | wc -l", ["3"]),
]


@pytest.fixture(scope="module")
def results(request):
    hyp = request.config.getoption("--hyp")
    if not os.path.exists(STATIC):
        pytest.fail(f"nothing at {STATIC}\ncure: make guests", pytrace=False)
    steps = [step(name, command) for name, command, _ in STEPS]
    return run_steps(hyp, "pools-boot", steps, smp=4, chosen=CHOSEN,
                     domains=[Domain("bare", STATIC, text="domain-cpupool = <&exact>;")])


@pytest.mark.parametrize("name, command, lines", STEPS, ids=[one[0] for one in STEPS])
def test_pools(results, name, command, lines):
    assert name in results, f"did not end: {command}"
    got = results[name]
    assert got.status == 0, got.output
    if lines is not None:
        assert [line.rstrip() for line in got.output.split("\n")] == lines
