# SPDX-License-Identifier: Apache-2.0
"""The hypervisor's own console: ctrl-a three times, its keys, and back; and the checking build under load."""
import re

import pytest
from console import ConsoleError

SWITCH = "\x01\x01\x01"

# key, what must come
KEYS = [
    ("h", rb"\(BH\)   q  domains"),
    ("q", rb"\(BH\) d0: id 0 .*2 vCPUs.*v0 \w+ on CPU.*v1 \w+ on CPU"),
    ("r", rb"\(BH\) CPU 0: .*CPU 1: "),
    ("m", rb"\(BH\) RAM: \d+ KiB, free \d+ KiB"),
    ("i", rb"\(BH\) INTID \d+: hypervisor.*INTID \d+: guest"),
    ("d", rb"d0v\d: pc [0-9a-f]{16}"),
    # of both vCPUs, wherever their registers are; the timer's interrupt is pending, active or done in one of them
    ("v", rb"d0v0: pc [0-9a-f]{16} .*vbar ffff[0-9a-f]+"),
    ("v", rb"d0v1: pc [0-9a-f]{16} .*vbar ffff[0-9a-f]+"),
    ("t", rb"\(BH\)   \d+\.\d{9} CPU 0 \w+ dom=0 .*\(BH\)   \d+\.\d{9} CPU 1 SCHED_RUN dom=0 vcpu=\d from=\d+\r"),
]


@pytest.fixture
def only_bulkhead(hyp):
    if hyp == "xen":
        pytest.skip("these keys are Bulkhead's")


@pytest.mark.xdist_group("console")
@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("gic", [2, 3])
def test_console_keys(boot, gic):
    console = boot(gic=gic, smp=2, mem=1024, dom0_mem=512)
    console.send(SWITCH)
    console.expect(rb"Input goes to the hypervisor now")
    for key, answer in KEYS:
        console.send(key)
        console.expect(answer)
    console.send("!H")      # of the checking build only
    console.send(SWITCH)
    console.expect(rb"Input goes to dom0 now")
    assert console.sh("echo back")[1].strip().endswith("back")
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0


@pytest.mark.xdist_group("debug")
@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("gic", [2, 3])
def test_checking_build(boot, gic):
    """DEBUG=1: asserts and lock ranks, while dom0 works on all CPUs."""
    console = boot(hyp="bulkhead-debug", gic=gic, smp=4, mem=1024, dom0_mem=512)
    assert console.sh("stress 5")[0] == 0
    for state in ("0", "1"):
        assert console.sh(f"echo {state} > /sys/devices/system/cpu/cpu3/online")[0] == 0
    assert console.sh("nproc")[1].strip() == "4"
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0


def last_words(console):
    """What the hypervisor says from here to its end, line ends as in a file; then it must be quiet."""
    start = console.seen
    with pytest.raises(ConsoleError, match="the hypervisor crashed"):
        console.expect(rb"(?!)")
    assert not console.selector.select(timeout=1), "it goes on after its last words"
    assert console.process.poll() is None, "the machine ended"
    words = console.data[start:].decode().replace("\r", "")
    assert words.endswith("(BH) The machine stops here; restart it by hand\n")
    return words


def has_in_order(text, *patterns):
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(text, at)
        assert found, f"{pattern} is not in:\n{text[at:]}"
        at = found.end()


@pytest.mark.xdist_group("debug")
@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("gic", [2, 3])
def test_last_words(boot, gic):
    """A bug of the hypervisor's own, here a store to nowhere, while a vCPU runs on each CPU."""
    console = boot(hyp="bulkhead-debug", gic=gic, smp=2, mem=1024, dom0_mem=512)
    console.check("for i in 1 2 3; do (while :; do :; done) & done")
    console.leave()
    console.send(SWITCH)
    console.expect(rb"Input goes to the hypervisor now")
    console.send("!")
    has_in_order(last_words(console),
                 r"^\(BH\) EL2 exception: data abort, nothing mapped",
                 r"^\(BH\)   ESR 9600004[4-7] FAR 0000000000000010 SPSR [0-9a-f]+ SP [0-9a-f]+$",
                 r"^\(BH\)   pc [0-9a-f]{16} key_fault\+0x",
                 r"^\(BH\)   x0  [0-9a-f]{16} x1  ", r"^\(BH\)   x27 ", r"^\(BH\)   x30 [0-9a-f]{16} console_\w+\+0x",
                 r"called from [0-9a-f]{16} (dispatch_ours|irq_dispatch)\+0x",
                 r"called from [0-9a-f]{16} (trap_take_irq|vectors)\+0x",
                 r"^\(BH\) BULKHEAD PANIC on CPU 0: EL2 exception \(data abort\)$",
                 r"^\(BH\) Running: d0v[01]$", r"^\(BH\) d0v[01]: pc [0-9a-f]{16} pstate ",
                 r"^\(BH\) Last events of this CPU:$",
                 r"^\(BH\)   \d+\.\d{9} CPU 0 SCHED_RUN dom=0 vcpu=[01] from=\d+$")


@pytest.mark.xdist_group("debug")
@pytest.mark.usefixtures("only_bulkhead")
def test_watchdog(boot):
    """CPUs that idle or work are alive; one that hangs is named. The instruction clock makes a busy host harmless."""
    console = boot(hyp="bulkhead-debug", smp=3, mem=1024, dom0_mem=512, icount=True,
                   hyp_args="watchdog_timeout=2")
    assert b"watchdog: a CPU that is stuck for 2 s is the end" in console.data
    assert console.sh("sleep 8; stress 5")[0] == 0
    console.leave()
    console.send(SWITCH)
    console.expect(rb"Input goes to the hypervisor now")
    console.send("H")
    console.expect(rb"CPU 2 gets stuck now")
    has_in_order(last_words(console), r"^\(BH\) BULKHEAD PANIC on CPU 1: watchdog: CPU 2 has been stuck for 2 s$",
                 r"called from [0-9a-f]{16} timer_run_due\+0x", r"^\(BH\) CPU 2 did not stop$",
                 r"^\(BH\) It ran (no vCPU|d0v[0-2])$", r"^\(BH\)   \d+\.\d{9} CPU 2 SCHED_RUN dom=0 vcpu=[0-2] from=\d+$")
