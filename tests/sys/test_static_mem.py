# SPDX-License-Identifier: Apache-2.0
"""Memory that the device tree sets aside for domains and shares between them: xen,static-mem, direct-map,
xen,static-heap, xen,domain-shared-memory-v1.

The same trees run on Debian's Xen 4.17 (--hyp xen), but for shared memory: it is built without CONFIG_STATIC_SHM, and
stops at the first tree with such a node.
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain
from run import BUILD
from test_static import lines, mark, require, text_of, verdicts

GUEST = os.path.join(ROOT, "build", "guests", "static_mem.bin")
MIB = 1 << 20
RAM = 0x40000000
# Above all images and what the hypervisor itself takes.
STATIC = 0x60000000
GIC = {2: (0x8000000, 0x8010000), 3: (0x8000000, 0x80a0000)}                # of QEMU's machine
GUEST_GIC = {2: (0x3001000, 0x3002000), 3: (0x3001000, 0x3020000)}          # of [XEN] arch-arm.h


@pytest.fixture
def hyp_args(hyp):
    """Xen shows what a domain writes by hypercall only when told to."""
    return "guest_loglvl=all" if hyp == "xen" else ""


def static(*ranges):
    """xen,static-mem of (address, MiB), in the cells of /chosen."""
    return "xen,static-mem = <" + " ".join(f"0x0 {at:#x} 0x0 {mib * MIB:#x}" for at, mib in ranges) + ">; "


def shared(host, guest, size, role=None, name="region-0"):
    """A use of a shared region."""
    text = (f'shared@{host:x} {{ compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "{name}"; '
            f"xen,shared-mem = <0x0 {host:#x} 0x0 {guest:#x} 0x0 {size:#x}>; ")
    return text + (f'role = "{role}"; ' if role else "") + "}; "


def promised(gic, direct=None, uart=True, more="", mem=64):
    """What the guest is to find, for its bootargs."""
    gicd, gicc = GIC[gic] if direct else GUEST_GIC[gic]
    base, spi = ((0x9000000, 33) if direct else (0x22000000, 32)) if uart else (0, 0)
    return (f"ram={direct or RAM:x} size={mem * MIB:x} gicd={gicd:x} gicc={gicc:x} uart={base:x} spi={spi:x} {more}").strip()


def dirt(tmp_path, at, size):
    """QEMU arguments that leave something in memory before the hypervisor starts."""
    path = tmp_path / f"dirt-{at:x}"
    path.write_bytes(b"\x5a" * size)
    return ["-device", f"loader,file={path},addr={at:#x},force-raw=on"]


@pytest.mark.parametrize("gic", (2, 3))
def test_static_memory(boot, hyp, hyp_args, gic, tmp_path):
    """At the usual addresses from two ranges, and where the machine has it; with a heap set aside as well."""
    require(GUEST)
    ranges = [(STATIC, 32), (STATIC + 96 * MIB, 32)]
    console = boot(wait=False, kernel=None, initrd=None, gic=gic, smp=2, mem=1024, icount=True, reboot=False,
                   hyp_args=hyp_args, extra=dirt(tmp_path, STATIC, 8 * MIB) + dirt(tmp_path, STATIC + 32 * MIB, 8 * MIB),
                   chosen="xen,static-heap = <0x0 0x74000000 0x0 0x8000000>; ",
                   domains=[Domain("moved", GUEST, text=static(*ranges), bootargs=promised(gic)),
                            Domain("direct", GUEST, cpus=2, text="direct-map; " + static((STATIC + 32 * MIB, 64)),
                                   bootargs=promised(gic, STATIC + 32 * MIB)),
                            Domain("heap", GUEST, bootargs=promised(gic, more="heap"))])
    verdicts(console, hyp, (1, 2, 3))


@pytest.mark.xen_cannot("Debian's Xen 4.17 is built without CONFIG_STATIC_SHM and stops at such a node")
@pytest.mark.parametrize("gic", (2, 3))
def test_shared_memory(boot, hyp, hyp_args, gic):
    """An owner, two borrowers, one of them direct-mapped, each with the region elsewhere; what one writes all read."""
    require(GUEST)
    host, size = 0x70000000, 4 * MIB + 0x3000
    talk = "shmsize={:x} wait=7 shm={:x} talk={}"
    console = boot(wait=False, kernel=None, initrd=None, gic=gic, smp=2, mem=1024, icount=True, reboot=False,
                   hyp_args=hyp_args,
                   domains=[Domain("borrower", GUEST, text=shared(host, 0x70001000, size, "borrower"),
                                   bootargs=promised(gic, more=talk.format(size, 0x70001000, 1) + " heap")),
                            Domain("owner", GUEST, text=shared(host, 0x50000000, size, "owner"),
                                   bootargs=promised(gic, more=talk.format(size, 0x50000000, 0) + " heap")),
                            Domain("direct", GUEST,
                                   text="direct-map; " + static((STATIC, 64)) + shared(host, host, size, "borrower"),
                                   bootargs=promised(gic, STATIC, more=talk.format(size, host, 2)))])
    verdicts(console, hyp, (1, 2, 3))
