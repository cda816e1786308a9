# SPDX-License-Identifier: Apache-2.0
"""Hidden means hidden: a bare-metal guest goes for what the hypervisor keeps from it, by loads, stores, interrupts,
hypercalls and firmware calls. Each is a fault or a refusal, and the devices are as they were: QEMU's monitor shows their
registers before and after, their owners go on with them.

Devices of QEMU's machine stand in for classes of nodes that it does not have, by what the tree says of them.
"""
import functools
import json
import os
import re
import socket

import pytest
from conftest import ROOT
from domains import Domain
from test_boards import fixture_newer_qemu  # noqa: F401  pylint: disable=unused-import
from test_static import KEYS, require, text_of, verdicts, wait_for
from test_static_mem import shared, static
from test_static_parts import DEVICE, MARKED, rtc

GUEST = os.path.join(ROOT, "build", "guests", "hidden.bin")
MIB = 1 << 20
LOOKS = 50                  # until nothing changes any more

# Of QEMU's virt machine, hw/arm/virt.c: name -> registers (address, size), interrupts.
VIRT = {
    "GICH": ((0x8030000, 0x10000), ()), "GICV": ((0x8040000, 0x10000), ()),     # GICv2
    "ITS": ((0x8080000, 0x20000), ()), "GICR": ((0x80e0000, 0xf20000), ()),     # GICv3; those of CPUs 2 and up
    "console": ((0x9000000, 0x1000), (33,)),
    "RTC": ((0x9010000, 0x1000), (34,)),                        # given to another domain
    "PPI": ((0x9020000, 0x1000), ()),                           # the firmware's configuration, which claims a PPI here
    "timer-mem": ((0x9030000, 0x1000), (39,)),                  # the GPIO's
    "SMMU": ((0x9050000, 0x20000), (106, 107, 108, 109)),
    "SCU": ((0, 0x8000000), ()),                                # two flash chips
    "GICD": ((0x8000000, 0x10000), ()), "GICC": ((0x8010000, 0x10000), ()),
    "virtio": ((0xa000000, 0x4000), (48, 79)), "PCI": ((0x3eff0000, 0x10000), (35, 36, 37, 38)),
}
HIDDEN = {2: ("GICH", "GICV"), 3: ("ITS", "GICR")}
STAND_INS = ('fw-cfg@9020000 { interrupts = <1 10 4>; }; pl061@9030000 { compatible = "arm,armv7-timer-mem"; }; '
             'flash@0 { compatible = "fsl,imx8-mu-scu"; }; ')
# A chip of whose firmware dom0 may call one service; QEMU's PSCI answers that it has none.
CHIP = '}; / { compatible = "linux,dummy-virt", "fsl,imx8mq"; '
# What the monitor shows of them: (address, words). Reading these changes nothing, and what is at work does not change them.
# Of the GICv3: what is enabled, pending, its priority, kind and route; both CPUs' own lines; the ITS. A monitor cannot ask
# QEMU's GICv2, whose registers depend on the CPU that reads; there the console's own interrupt must do.
LOOK = {
    2: (),
    3: ((0x8000104, 8), (0x8000204, 8), (0x8000420, 24), (0x8000c08, 6), (0x8006108, 160), (0x80b0100, 1), (0x80b0400, 8),
        (0x80b0c00, 2), (0x80d0100, 1), (0x80d0400, 8), (0x8080000, 4), (0x8080080, 4), (0x8080100, 8)),
}
# UART, clock, GPIO, SMMU, flash.
LOOK_ALL = ((0x9000024, 6), (0x9010004, 2), (0x9010010, 1), (0x9030400, 8), (0x9050000, 8), (0x9050020, 2), (0x9050044, 1),
            (0x9050050, 1), (0x9050080, 8), (0, 16), (0x4000000, 16))


class Monitor:
    """QEMU's own view of the machine, by its monitor."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" not in answer:
                return answer["return"]

    def look(self, places):
        """{address: its word, as text}; one by one, as most devices have no wider registers."""
        shown = {}
        for start, words in places:
            for at in range(start, start + 4 * words, 4):
                text = self.command("human-monitor-command", **{"command-line": f"xp /1wx {at:#x}"})
                shown[hex(at)] = re.fullmatch(r"[0-9a-f]+: (0x[0-9a-f]{8})\s*", text).group(1)
        return shown

    def close(self):
        self.file.close()
        self.socket.close()


# Xen's dom0 has an emulated console in its place, and may map what is kept for others into itself. Ours has a virtual ITS in
# place of the machine's (guests/doorbell.c goes for that one).
GIVEN = {"xen": ("console", "RTC"), "bulkhead": ("ITS",)}


def words(names, ram, given=()):
    """The guest's bootargs."""
    names = [name for name in names if name not in given]
    hide = [f"hide={at:x}+{size:x}" for at, size in (VIRT[name][0] for name in names)]
    lines = [f"line={line:x}" for name in names for line in VIRT[name][1]]
    return " ".join(hide + lines + [f"ram={at:x}+{size:x}" for at, size in ram])


def input_to(console, hyp, name):
    """The keyboard goes on until this one has it."""
    while hyp == "bulkhead":
        console.send(KEYS)
        if console.expect(rb"\(BH\) Input goes to (.*?) now").group(1).decode() == name:
            return


def settled(look, wanted=None):
    """What is to be seen when it is so twice, or as it was: the last characters of a line may be under way to a slow reader,
    for which the port's interrupt is on. What has been changed stays so."""
    shown = look()
    for _ in range(LOOKS):
        last = shown if wanted is None else wanted
        if shown == wanted:
            break
        shown = look()
        if shown == last:
            break
    return shown


def attack(console, look):
    """The guest that has the keyboard begins when a key comes, ends at the second; what was to be seen before and after."""
    before = settled(look)
    console.send("x")
    console.expect(rb"look, then type")
    after = settled(look, before)
    console.send("x")
    assert after == before


def ended(console, hyp, name):
    """What it had is nobody's now."""
    if hyp == "bulkhead":
        wait_for(console, rb"\(BH\) %s ended: reason 0" % name)


def dom0_verdict(console, hyp):
    """The machine ends with it."""
    found = console.expect(rb"(?:^|\n)(?:\(XEN\) )?(?:\(d0\) )?(GUEST (?:PASS|FAIL) \d+)")
    bad = [line for line in text_of(console).splitlines() if "FAIL" in line or re.search(r"(read|write) [0-9a-f]+: x1", line)]
    assert found.group(1).startswith(b"GUEST PASS"), "\n".join(bad)
    if hyp == "bulkhead":
        assert "SKIP" not in text_of(console)
    assert console.expect_end() == 0


def machine(tmp_path, **parts):
    """Parts of a machine with the guest as dom0 and a monitor, and that monitor's path."""
    path = tmp_path / "monitor"
    return {"wait": False, "kernel": GUEST, "initrd": None, "smp": 2, "mem": 1024, "dom0_mem": 128, "dom0_vcpus": 2, "icount": True,
            "reboot": False, "extra": ["-qmp", f"unix:{path},server=on,wait=off"], **parts}, path


def everybody_waits(console, number):
    console.seen = 0
    for _ in range(number):
        console.expect(rb"look, then type")


@pytest.mark.parametrize("gic", (2, 3))
def test_virt(boot, hyp, tmp_path, gic):
    """As dom0, and as a domain of the device tree from which every device is hidden; beside them the owner of a device,
    one of static memory and one of a region that others share."""
    require(GUEST, DEVICE)
    hidden = HIDDEN[gic] + ("console", "RTC", "PPI", "timer-mem")
    domains = [Domain("clock", DEVICE, cpus=2, devices=rtc())]
    if hyp == "bulkhead":       # Debian's Xen 4.17 has neither
        hidden += ("SMMU", "SCU")
        every = hidden + ("GICD", "virtio", "PCI") + (("GICC",) if gic == 2 else ())
        domains += [Domain("domu", GUEST, bootargs=words(every, [(0x40000000, 0x60000000)])),
                    Domain("static", GUEST, text=static((0x70000000, 64))),
                    Domain("owner", GUEST, text=shared(0x60000000, 0x50000000, MIB, "owner"))]
    parts, path = machine(tmp_path, gic=gic, domains=domains, board_options=",iommu=smmuv3", tree=MARKED + STAND_INS + CHIP,
                          hyp_args="dom0_scu=no",
                          dom0_args=words(hidden, [(0x40000000, 1024 * MIB)], GIVEN.get(hyp, ())))
    console = boot(**parts)
    verdicts(console, hyp, [1])
    ended(console, hyp, b"clock")
    everybody_waits(console, len(domains) - 2 if hyp == "bulkhead" else 1)
    look = functools.partial(Monitor(path).look, LOOK[gic] + LOOK_ALL)
    if hyp == "bulkhead":
        input_to(console, hyp, "domu")
        attack(console, look)
        verdicts(console, hyp, [2])
        ended(console, hyp, b"domu")
        input_to(console, hyp, "dom0")
    attack(console, look)
    dom0_verdict(console, hyp)


@pytest.mark.usefixtures("newer_qemu")
def test_imx8mp_evk(boot, hyp, tmp_path):
    """The board's own tree, and the SMC calls of the firmware that QEMU's board does not have."""
    if hyp == "xen":
        pytest.skip("Debian's Xen 4.17 shows nothing on this board")
    require(GUEST)
    args = "hide=30890000+10000 line=3b hide=388c0000+80000 ram=40000000+40000000"     # UART2; redistributors of CPUs that dom0 lacks
    parts, path = machine(tmp_path, board="imx8mp-evk", smp=4, dom0_args=args)
    console = boot(**parts)
    everybody_waits(console, 1)
    monitor = Monitor(path)
    # Interrupts of the hypervisor's port are on, those of the timer as well; control and baud rate of the port.
    look = functools.partial(monitor.look, ((0x38800104, 4), (0x38800420, 32), (0x38890100, 1), (0x30890080, 5), (0x308900a4, 2)))
    attack(console, look)
    dom0_verdict(console, hyp)
