# SPDX-License-Identifier: Apache-2.0
"""Options of the hypervisor's command line at work, and what it does when the control domain crashes.

What an option says in the log before the control domain runs is tested with a guest that ends itself at once; the
rest on as few machines as it takes.
"""
import itertools
import os
import re

import pytest
from conftest import ROOT

QUIET = 0.5             # seconds of silence, as a stop
SWITCH = "\x01\x01\x01"
GUESTS = os.path.join(ROOT, "build", "guests")
PLAN = rb"\(BH\) d0: \d+ vCPUs, (\d+) MiB"


@pytest.fixture(autouse=True)
def wants_hypervisor(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own messages")


@pytest.fixture(name="run")
def fixture_run(boot):
    """run(args, guest, ...): a machine whose control domain is a bare-metal guest."""
    def start(args, guest="hello", **parts):
        image = os.path.join(GUESTS, guest + ".bin")
        if not os.path.exists(image):
            pytest.fail(f"no guest image at {image}\ncure: make guests", pytrace=False)
        return boot(wait=False, kernel=image, initrd=None, hyp_args=args,
                    **{"smp": 1, "mem": 1024, "dom0_mem": 512, "icount": True, "reboot": False, **parts})
    return start


def log_of(console):
    """All that the machine said until it ended."""
    assert console.expect_end(idle=30) == 0
    return console.data


def keys(console, key, answer, times=1):
    """What the hypervisor's console key says, TIMES times; input goes back to the control domain."""
    console.leave()
    console.send(SWITCH)
    console.expect(rb"Input goes to the hypervisor now")
    found = []
    for _ in range(times):
        console.send(key)
        found.append(console.expect(answer))
    console.send(SWITCH)
    console.expect(rb"Input goes to dom0 now")
    return found


def queues(console):
    """What two CPUs do while the control domain sleeps, at moments that differ."""
    while True:
        console.check("sleep 0.3")
        yield keys(console, "r", rb"CPU 0: (\w+),.*CPU 1: (\w+),")[0].groups()


@pytest.mark.parametrize("args, mib", [
    ("", 512),
    ("dom0_mem=min:640M", 640),
    ("dom0_mem=max:384M", 384),
    ("dom0_mem=256M,min:128M,max:768M", 256),
    ("dom0_mem=min:600M,max:640M", 600),
])
def test_dom0_mem(run, args, mib):
    assert int(re.search(PLAN, log_of(run(args))).group(1)) == mib


# words of the command line, what is said, what is not
LOGS = [
    ("loglvl=warning nonsense", [rb"option nonsense is unknown"], [rb"MiB of RAM", rb"Scheduler: ", rb"d0 shut down"]),
    ("loglvl=info", [rb"MiB of RAM", rb"d0 shut down"], [rb"gets a fault"]),
    ("loglvl=debug", [rb"MiB of RAM", rb"d0: v0: pc 0x[0-9a-f]+ gets a fault, ESR 0x"], []),
    ("guest_loglvl=info loglvl=error", [rb"\(BH\) d0: v0: pc 0x[0-9a-f]+ gets a fault"], [rb"Scheduler: "]),
    ("guest_loglvl=warning", [rb"d0 shut down"], [rb"gets a fault"]),
    ("bootscrub=1 sync_console",
     [rb"option bootscrub: what domains get at boot is cleared, but for dom0", rb"option sync_console: output is always"], []),
    ("hmp-unsafe=true", [rb"option hmp-unsafe: guests may move between CPUs of different kinds", rb"d0 shut down"], []),
    ("xsm=dummy", [rb"option xsm: domains may share with each other", rb"d0 shut down"], []),
    ("xsm=silo", [rb"d0 shut down"], [rb"option xsm"]),
    ("bootscrub=0 no-sync_console", [rb"d0 shut down"], [rb"option bootscrub", rb"option sync_console"]),
    ("iommu_fault=crash", [rb"d0 shut down"], [rb"option iommu_fault"]),
    ("measure=log", [rb"SHA-256 \w{64} device tree", rb"SHA-256 \w{64} kernel of dom0\r*\n"], []),
    ("measure=listed", [rb"d0 shut down"], [rb"SHA-256"]),
    ("watchdog", [rb"watchdog: one CPU alone has nobody to watch it"], []),
]


@pytest.mark.parametrize("args, said, unsaid", LOGS, ids=[row[0] for row in LOGS])
def test_what_is_logged(run, args, said, unsaid):
    """The guest touches what is not there, on purpose."""
    log = log_of(run(args, "mmio_fault"))
    assert b"GUEST PASS" in log
    for pattern in said:
        assert re.search(pattern, log), pattern
    for pattern in unsaid:
        assert not re.search(pattern, log), pattern


def test_guest_crash_restarts(run):
    """QEMU is told to end at a reset."""
    log = log_of(run("", "crash"))
    assert b"(BH) d0 crashed" in log
    assert b"noreboot" not in log


def test_guest_crash_noreboot(run):
    console = run("noreboot", "crash", icount=False)
    console.expect(rb"\(BH\) d0 crashed\s+\(BH\) noreboot: the machine stops here; restart it by hand\r*\n", idle=30)
    assert not console.selector.select(timeout=QUIET), "it goes on after its last words"
    assert console.process.poll() is None, "the machine ended"


def test_kernel_panic_restarts(boot):
    """A stock kernel that panics restarts the machine by itself: no crash for the hypervisor, noreboot or not."""
    console = boot(smp=1, mem=1024, dom0_mem=512, dom0_args="panic=1", hyp_args="noreboot", reboot=False)
    console.send("echo c > /proc/sysrq-trigger\n")
    console.expect(rb"sysrq triggered crash")
    console.expect(rb"\(BH\) d0 restarts: restarting the machine")
    assert console.expect_end() == 0


def test_cpus_and_pinning(boot):
    """maxcpus, dom0_vcpus_pin, watchdog over a machine that works and idles."""
    console = boot(smp=4, mem=1024, dom0_mem=512, hyp_args="maxcpus=2 dom0_vcpus_pin watchdog watchdog_timeout=10")
    assert b"watchdog: a CPU that is stuck for 10 s" in console.data
    assert console.check("nproc") == "2"
    assert console.check("grep MemTotal /proc/meminfo | awk '{ print ($2 < 524288) }'") == "1"
    where = rb"\(BH\) d0: id 0 .*v0 \w+ on CPU (\d) of (0x[0-9a-f]+),.*v1 \w+ on CPU (\d) of (0x[0-9a-f]+),"
    console.check("for i in 1 2 3; do (while :; do :; done) & echo $! >>/run/busy; done")
    for found in keys(console, "q", where, times=20):
        assert found.groups() == (b"0", b"0x1", b"1", b"0x2")
    console.check("kill $(cat /run/busy); sleep 12")
    # The kernel has something to do now and then, and a busy host makes that last.
    assert (b"idle", b"idle") in itertools.islice(queues(console), 200)
    assert b"CPU 2:" not in console.data


def test_null_scheduler_and_native_wfi(boot):
    """One vCPU a CPU, the third waits; a CPU whose guest sleeps is not idle for the hypervisor."""
    console = boot(smp=2, mem=1024, dom0_mem=512, dom0_vcpus=3, hyp_args="sched=null vwfi=native")
    assert b"(BH) Scheduler: null" in console.data
    assert console.check("nproc") == "2"
    found = keys(console, "q", rb"v0 (\w+) on.*v1 (\w+) on.*v2 (\w+) on CPU \d")[0]
    assert found.groups() == (b"running", b"running", b"runnable")
    assert set(itertools.islice(queues(console), 5)) == {(b"busy", b"busy")}


def test_no_console(boot):
    """console=none: the serial port is the control domain's, the log stays in memory."""
    console = boot(smp=1, mem=1024, dom0_mem=512, hyp_args="console=none", dom0_args="console=ttyAMA0")
    assert b"(BH)" not in console.data
    assert "ttyAMA0" in console.check("cat /sys/class/tty/console/active")
    console.check("grep -q 'uart-pl011' /proc/interrupts")
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0
