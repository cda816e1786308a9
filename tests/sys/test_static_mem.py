# SPDX-License-Identifier: Apache-2.0
"""Memory that the device tree sets aside for domains and shares between them: xen,static-mem, direct-map,
xen,static-heap, xen,domain-shared-memory-v1.

The same trees run on Debian's Xen 4.17 (--hyp xen) as far as it goes, which is the static heap: it is built without
CONFIG_STATIC_MEMORY (it reads xen,static-mem, then the domain has no memory and Xen stops) and without
CONFIG_STATIC_SHM (it stops at the first such node). What guests find elsewhere follows Xen's documents.
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain
from run import BUILD
from test_static import lines, mark, require, text_of, verdicts, wait_for

GUEST = os.path.join(ROOT, "build", "guests", "static_mem.bin")
MIB = 1 << 20
RAM = 0x40000000
# Above all images and what the hypervisor itself takes.
STATIC = 0x60000000
MAGIC = 0x5ead << 48          # what the guest writes
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


@pytest.mark.xen_cannot("Debian's Xen 4.17 is built without CONFIG_STATIC_MEMORY and gives such a domain no memory")
@pytest.mark.parametrize("gic", (2, 3))
def test_static_memory(boot, hyp, hyp_args, gic, tmp_path):
    """At the usual addresses from two ranges, and where the machine has it; with a heap set aside as well, so that
    the second range is in 1 GiB of which nothing else is used."""
    require(GUEST)
    ranges = [(STATIC, 32), (0xd0000000, 32)]
    console = boot(wait=False, kernel=None, initrd=None, gic=gic, smp=2, mem=3072, icount=True, reboot=False,
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


@pytest.mark.xen_cannot("Debian's Xen 4.17 is built without CONFIG_STATIC_SHM and stops at such a node")
@pytest.mark.parametrize("gic", (2, 3))
def test_shared_beside_dom0(boot, gic):
    """dom0 shares too. Owner and borrower are destroyed one after the other: the others keep the region, and what was
    set aside for one domain does not become anybody's memory."""
    require(GUEST)
    host, size, where = 0xb8000000, 4 * MIB, 0x50000000
    talk = "shmsize={:x} wait=3 shm={:x} talk={} listen={}"
    console = boot(xl=True, gic=gic, smp=2, mem=2048, icount=True, chosen=shared(host, host, size, "borrower"),
                   domains=[Domain("owner", GUEST, text=static((0xb0000000, 64)) + shared(host, where, size, "owner"),
                                   bootargs=promised(gic, more=talk.format(size, where, 0, 8))),
                            Domain("borrower", GUEST, text=shared(host, where, size, "borrower"),
                                   bootargs=promised(gic, more=talk.format(size, where, 1, 9) + " heap"))])
    for name in ("owner", "borrower"):
        wait_for(console, rf"\({name}\) listening".encode())
    node = f"/proc/device-tree/reserved-memory/xen-shmem@{host:x}"
    assert console.check(f"tr -d '\\0' < {node}/xen,id; echo; tr '\\0' ' ' < {node}/compatible").split() == [
        "region-0", "xen,shared-memory-v1"]

    def word(number, value=None):
        """Word `number` of the region's first page, or written."""
        text = console.check(f"busybox devmem {host + 8 * number:#x} 64" + (f" {value:#x}" if value else ""))
        return int(text, 16) if value is None else None

    assert word(0) == MAGIC and word(1) == MAGIC + 1
    free = int(console.check("xl info free_memory"))
    console.check("xl destroy 1")
    console.check("while xl list | grep -q '^(null) *1 '; do sleep 1; done")
    assert int(console.check("xl info free_memory")) - free in range(0, 8), "64 MiB of static memory are heap"
    assert word(0) == MAGIC, "what the owner wrote stays"
    word(9, MAGIC + 9)
    wait_for(console, rb"\(borrower\) GUEST PASS")
    console.check("xl destroy 2; while xl list | grep -q '^(null) *2 '; do sleep 1; done")
    word(3, MAGIC + 3)
    assert word(3) == MAGIC + 3 and word(9) == MAGIC + 9


@pytest.mark.parametrize("gic", (2, 3))
def test_static_heap_beside_dom0(boot, hyp_args, gic):
    """All of dom0's memory, and all that is free, is of the heap that was set aside."""
    require(GUEST)
    console = boot(xl=True, gic=gic, smp=2, mem=2048, dom0_mem=512, icount=True, hyp_args=hyp_args,
                   chosen="xen,static-heap = <0x0 0x60000000 0x0 0x30000000>; ",
                   domains=[Domain("heap", GUEST, bootargs=promised(gic, more="heap"))])
    wait_for(console, b"GUEST PASS")
    free = int(console.check("xl info free_memory"))
    assert 768 - 512 - 64 - 64 < free < 768 - 512 - 64 + 16, free     # Xen has some MiB of its own elsewhere
    memory = console.check("od -An -tx1 /proc/device-tree/memory@*/reg | tr -d ' \\n'")
    banks = [int(memory[i:i + 16], 16) for i in range(0, len(memory), 16)]
    for at, size in zip(banks[0::2], banks[1::2]):
        assert 0x60000000 <= at and at + size <= 0x90000000, memory


@pytest.mark.xen_cannot("Xen stops at the first mistake")
def test_mistakes_leave_the_others_running(boot):
    """Each of these domains is refused with a message of its own; those beside them never notice."""
    require(GUEST)
    region = 0x70000000
    bad = {
        "hole": (static((0x90000000, 64)), "is not inside one bank of memory"),
        "ours": (static((0x40200000, 64)), "overlaps the hypervisor"),
        "tree": (static((0x46000000, 64)), "overlaps the device tree"),
        "same": (static((STATIC, 64)), "overlaps static memory of good"),
        "sum": (static((0x68000000, 32)), '"memory" is not the sum'),
        "odd": ("xen,static-mem = <0x0 0x68000800 0x0 0x4000000>; ", "is not whole pages"),
        "wrap": ("xen,static-mem = <0x0 0x68000000 0xffffffff 0xfc000000>; ", "ends beyond the last address"),
        "bare": ("direct-map; ", "needs static memory"),
        "moved": (shared(region + 0x1000, 0x50000000, 0x2000, "borrower"), "is not the same as shared memory of good"),
        "poor": (shared(0x71000000, 0x50000000, 0x2000, "borrower", "nobodys"), '"nobodys" has no owner'),
        "two": (shared(region, 0x50000000, 0x2000, "owner"), "has an owner already"),
        "ram": (shared(region, RAM + 0x10000, 0x2000, "borrower"), "overlaps memory of ram"),
        "none": (shared(region, 0x50000000, 0, "borrower"), "has an empty range"),
    }
    talk = "shmsize=2000 wait=3 shm=50000000 talk={}"
    good = [Domain("good", GUEST, text=static((STATIC, 64)) + shared(region, 0x50000000, 0x2000, "owner"),
                   bootargs=promised(3, more=talk.format(0))),
            Domain("last", GUEST, text=shared(region, 0x50000000, 0x2000, "borrower"),
                   bootargs=promised(3, more=talk.format(1) + " heap"))]
    console = boot(wait=False, kernel=None, initrd=None, gic=3, smp=2, mem=1024, icount=True, reboot=False,
                   domains=good[:1] + [Domain(name, GUEST, text=text) for name, (text, _) in bad.items()] + good[1:])
    verdicts(console, "bulkhead", (1, 2))
    text = text_of(console)
    for name, (_, message) in bad.items():
        assert len(re.findall(rf"/chosen/{name}: this domain is not started", text)) == 1, name
        assert re.search(rf"device tree: .*\b{name}\b.*{re.escape(message)}", text), f"{name}: {message}"
