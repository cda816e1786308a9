# SPDX-License-Identifier: Apache-2.0
"""The stock toolstack on schedulers that Debian's Xen for arm64 is built without: there is no reference to run beside,
so what it prints is written here, by the tables of xl(1)."""
import pytest
from xl import run_steps, step

pytestmark = pytest.mark.xdist_group("xl_sched")

POOL = "Cpupool Pool-0: sched=RTDS"
DOMAINS = "Name                                ID    Period    Budget  Extratime"
VCPUS = "Name                                ID VCPU    Period    Budget  Extratime"
WRONG = "Incorrect number of period, budget and extratime"


def row(name, domain, *rest):
    widths = (9, 9, 10) if len(rest) == 3 else (4, 9, 9, 10)
    return f"{name:<33} {domain:>4}" + "".join(f" {value:>{width}}" for value, width in zip(rest, widths))


DOM0 = row("Domain-0", 0, 10000, 4000, "yes")

# (name, command, exit status, lines; None: not looked at)
RTDS = [
    ("pool", "xl cpupool-list | tail -1", 0, ["Pool-0               2      rtds       y          1"]),
    ("alone", "xl sched-rtds", 0, [POOL, DOMAINS, DOM0]),
    ("create", "xl create /etc/xen/one.cfg && guest one --wait", 0, None),
    # Of a domain, xl shows what a new vCPU has.
    ("domains", "xl sched-rtds", 0, [POOL, DOMAINS, DOM0, row("one", 1, 10000, 4000, "yes")]),
    ("vcpus", "xl sched-rtds -v all", 0,
     [POOL, VCPUS, row("Domain-0", 0, 0, 10000, 4000, "yes"), row("one", 1, 0, 10000, 4000, "no")]),
    ("set-all", "xl sched-rtds -d one -v all -p 20000 -b 10000 -e 1; xl sched-rtds -d one -v all", 0,
     [VCPUS, row("one", 1, 0, 20000, 10000, "yes")]),
    ("set-one", "xl sched-rtds -d one -v 0 -p 5000 -b 2000 -e 0; xl sched-rtds -d one -v 0", 0,
     [VCPUS, row("one", 1, 0, 5000, 2000, "no")]),
    ("runs", "guest one 'echo runs'", 0, ["runs"]),
    ("no-extratime-word", "xl sched-rtds -d one -v 0 -p 1000 -b 100", 1, [WRONG]),
    ("budget-above-period", "xl sched-rtds -d one -v 0 -p 1000 -b 2000 -e 0 2>/dev/null", 1, None),
    ("no-such-vcpu", "xl sched-rtds -d one -v 9 -p 1000 -b 100 -e 0 2>/dev/null", 1, None),
    # Of two CPUs, dom0 has 0.4, one a whole one, two 0.4 twice; a list is taken one by one.
    ("whole", "xl sched-rtds -d one -v 0 -p 10000 -b 10000 -e 0 && xl create /etc/xen/two.cfg && xl pause two", 0, None),
    ("too-much", "xl sched-rtds -d two -v all -p 10000 -b 9000 -e 0 2>/dev/null", 1, None),
    ("reason", "xl dmesg | grep -o 'rtds: d2.*'", 0,
     ["rtds: d2: 9000 us in 10000 us refused: all would ask for 270% of 200%"]),
    ("unchanged", "xl sched-rtds -d two -v 0", 0, [VCPUS, row("two", 2, 0, 10000, 4000, "no")]),
    ("other", "xl sched-credit2", 0, [""]),
    ("destroy", "xl destroy one; xl destroy two; xl sched-rtds", 0, [POOL, DOMAINS, DOM0]),
]

# sched_forced: what cannot be promised is taken with a warning, what is no budget at all is not.
FORCED = [
    ("create", "xl create /etc/xen/one.cfg && guest one --wait && xl create /etc/xen/two.cfg && guest two --wait", 0, None),
    ("all", "xl sched-rtds -d one -v 0 -p 10000 -b 10000 -e 0 && xl sched-rtds -d two -v 0 -p 10000 -b 9000 -e 0", 0, None),
    ("warning", "xl dmesg | grep -o 'rtds: d2.*'", 0,
     ["rtds: d2: 9000 us in 10000 us forced: all would ask for 270% of 200%"]),
    ("is-set", "xl sched-rtds -d two -v 0", 0, [VCPUS, row("two", 2, 0, 10000, 9000, "no")]),
    ("run", "guest one 'echo one' && guest two 'echo two'", 0, ["one", "two"]),
    ("no-budget", "xl sched-rtds -d two -v 0 -p 10000 -b 11000 -e 0 2>/dev/null", 1, None),
    ("end", "xl destroy one; xl destroy two; xl sched-rtds", 0, [POOL, DOMAINS, DOM0]),
]


@pytest.fixture(scope="module")
def rtds(request):
    steps = [step(name, command) for name, command, _, _ in RTDS]
    return run_steps(request.config.getoption("--hyp"), "xl-rtds", steps, hyp_args="sched=rtds")


@pytest.fixture(scope="module")
def forced(request):
    steps = [step(name, command) for name, command, _, _ in FORCED]
    return run_steps(request.config.getoption("--hyp"), "xl-rtds-forced", steps, hyp_args="sched=rtds sched_forced")


def check(results, name, command, status, lines):
    assert name in results, f"did not end: {command}"
    got = results[name]
    assert got.status == status
    if lines is not None:
        assert [line.rstrip() for line in got.output.split("\n")] == lines


@pytest.mark.parametrize("name, command, status, lines", RTDS, ids=[one[0] for one in RTDS])
def test_rtds(rtds, name, command, status, lines):
    check(rtds, name, command, status, lines)


@pytest.mark.parametrize("name, command, status, lines", FORCED, ids=[one[0] for one in FORCED])
def test_forced(forced, name, command, status, lines):
    check(forced, name, command, status, lines)
