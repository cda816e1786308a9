# SPDX-License-Identifier: Apache-2.0
"""Domains that the device tree has started at boot, without dom0 and beside it.

The same trees run on Debian's Xen (--hyp xen), whose lines of such a domain begin with "(XEN) DOM1: ".
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain
from run import BUILD

STATIC = os.path.join(ROOT, "build", "guests", "static_dom.bin")
KERNEL = os.path.join(BUILD, "peer", "vmlinuz")
RAMDISK = os.path.join(BUILD, "dom0", "domu.cpio.gz")
LINUX_ARGS = "console=ttyAMA0 rdinit=/init panic=1 guest="
KEYS = "\x01\x01\x01"       # three times ctrl-a: the keyboard goes on to the next


@pytest.fixture
def hyp_args(hyp):
    """Xen shows what a domain writes by hypercall only when told to."""
    return "guest_loglvl=all" if hyp == "xen" else ""


def mark(hyp, number, text):
    """How a line of domain NUMBER begins in this text: with its name in the tree. On Xen: by its UART, by that with the
    keyboard, by its hypercalls."""
    if hyp != "bulkhead":
        return rf"(?:\(XEN\) (?:DOM{number}: )?|\(d{number}\) )"
    name = re.search(rf"\(BH\) d{number}: ([^,]+), ", text).group(1)
    return rf"\({re.escape(name)}\) "


def lines(text, hyp, number):
    """What domain NUMBER said."""
    return re.findall(rf"^{mark(hyp, number, text)}(.*?)\r*$", text, re.MULTILINE)


def text_of(console):
    return console.data.decode(errors="replace")


def wait_for(console, pattern):
    """Waits until this has been said, now or before; what else is waited for goes on where it was."""
    seen, console.seen = console.seen, 0
    console.expect(pattern)
    console.seen = seen


def require(*paths):
    for path in paths:
        if not os.path.exists(path):
            pytest.fail(f"nothing at {path}\ncure: make guests, tools/image/mkdom0.py", pytrace=False)


def verdicts(console, hyp, numbers):
    """Waits until each of these domains has said how its checks ended."""
    for number in numbers:
        console.seen = 0
        if hyp == "bulkhead":
            console.expect(rb"\(BH\) d%d: [^,]+, " % number)
        found = console.expect(rf"{mark(hyp, number, text_of(console))}GUEST (PASS|FAIL)".encode())
        if found.group(1) != b"PASS":
            bad = [line for line in lines(text_of(console), hyp, number) if line.startswith("FAIL")]
            pytest.fail(f"domain {number}:\n" + "\n".join(bad), pytrace=False)


@pytest.mark.parametrize("gic", (2, 3))
def test_without_dom0(boot, hyp, hyp_args, gic):
    """Two bare-metal domains, with a UART and with the hypercall alone, one of them with two vCPUs and a larger memory."""
    require(STATIC)
    console = boot(wait=False, kernel=None, initrd=None, gic=gic, smp=2, mem=1024, icount=True, reboot=False,
                   hyp_args=hyp_args,
                   domains=[Domain("uart", STATIC, cpus=2, bootargs="keyboard"),
                            Domain("plain", STATIC, vpl011=False, mem=130, text="nr_spis = <0>;")])
    verdicts(console, hyp, [2])
    if hyp == "xen":    # its keyboard is dom0's, though there is none
        console.send(KEYS)
    console.seen = 0
    console.expect(b"type a line")
    console.send("a real line\r")
    console.expect(b"typed: a real line")
    verdicts(console, hyp, [1])
    assert any("RAM 40000000+8200000" in line for line in lines(text_of(console), hyp, 2))
    if hyp == "bulkhead":
        assert "SKIP" not in text_of(console)
        for name in (b"plain", b"uart"):        # in either order
            wait_for(console, rb"\(BH\) %s ended: reason 0" % name)


@pytest.mark.parametrize("gic", (2, 3))
def test_linux_without_dom0(boot, hyp, gic):
    """A stock kernel in two domains from one image, a third bare-metal one; the keyboard goes round; one powers off."""
    require(STATIC)
    console = boot(wait=False, kernel=None, initrd=None, gic=gic, smp=2, mem=1024, icount=True, reboot=False,
                   domains=[Domain("one", KERNEL, ramdisk=RAMDISK, cpus=2, mem=256, bootargs=LINUX_ARGS + "one"),
                            Domain("two", KERNEL, ramdisk=RAMDISK, mem=192, bootargs=LINUX_ARGS + "two"),
                            Domain("bare", STATIC)])
    verdicts(console, hyp, [3])
    if hyp == "bulkhead":
        wait_for(console, rb"\(BH\) bare ended: reason 0")
    for number, name in ((1, "one"), (2, "two")):
        console.seen = 0
        console.expect(rf"{mark(hyp, number, text_of(console))}guest {name} is up".encode())
    if hyp == "xen":
        return
    # The first one has the keyboard.
    console.send("nproc; cat /proc/interrupts; echo done-$((40+2))\r")
    console.expect(rb"done-42\r*\n")
    text = text_of(console)
    assert "2" in lines(text, hyp, 1)
    assert re.search(r"GIC\S+\s+32 Level\s+uart-pl011", text), "its UART interrupts"
    console.send(KEYS)
    console.expect(rb"Input goes to two now")
    console.send("echo here-$((1+1)); poweroff -f\r")
    console.expect(rb"\(two\) here-2\r*\n")
    console.expect(rb"\(BH\) two ended: reason 0")
    # The others live on.
    console.send(KEYS)      # the third is a domain too, though it has ended
    console.expect(rb"Input goes to bare now")
    console.send(KEYS)
    console.expect(rb"Input goes to the hypervisor now")
    console.send("q")
    console.expect(rb"\(BH\) bare: id 3 state 2")
    console.send(KEYS)
    console.expect(rb"Input goes to one now")
    console.send("echo again-$((5+5))\r")
    console.expect(rb"\(one\) again-10\r*\n")


@pytest.mark.parametrize("gic", (2, 3))
def test_beside_dom0(boot, hyp, hyp_args, gic):
    """dom0 with the stock toolstack; it lists the domains of the device tree and ends one."""
    require(STATIC)
    console = boot(xl=True, gic=gic, smp=2, mem=2048, icount=True, hyp_args=hyp_args,
                   domains=[Domain("bare", STATIC, bootargs="keyboard"),
                            Domain("linux", KERNEL, ramdisk=RAMDISK, mem=192, bootargs=LINUX_ARGS + "linux")])
    wait_for(console, b"type a line")
    wait_for(console, b"guest linux is up")
    rows = {row.split()[-5]: row.split() for row in console.check("xl list | tail -n +2").splitlines()}
    assert sorted(rows) == ["0", "1", "2"]
    assert rows["1"][-4:-2] == ["64", "1"]
    # Linux put the shared info page in the place of one of its own; Xen keeps that one for it.
    assert rows["2"][-4:-2] == ["192" if hyp == "xen" else "191", "1"]
    free = int(console.check("xl info free_memory"))
    console.check("xl destroy 1")
    console.check("while xl list | grep -q '^(null) *1 '; do sleep 1; done")
    freed = int(console.check("xl info free_memory")) - free
    assert freed in range(60, 70), freed
    # Its name is free for others, and the second one still answers.
    assert [row.split()[-5] for row in console.check("xl list | tail -n +2").splitlines()] == ["0", "2"]
    if hyp == "bulkhead":
        console.leave()
        console.send(KEYS)
        console.expect(rb"Input goes to linux now")
        console.send("echo alive-$((6*7))\r")
        console.expect(rb"\(linux\) alive-42\r*\n")
