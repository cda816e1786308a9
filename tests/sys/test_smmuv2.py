# SPDX-License-Identifier: Apache-2.0
"""The SMMUv2 driver on a machine: no QEMU plays an SMMU-500, so ZCU102's on-chip memory stands in for its registers.

What it identifies itself by is written there before the start. What the hypervisor then makes of it, and of Debian's tree with
its 26 devices behind the SMMU, is read back. Registers that are memory translate nothing: what they do is the register model's
part (tests/unit/test_smmuv2*.c).
"""
import json
import os
import re
import socket
import struct

import pytest
from conftest import ROOT
from domains import Domain, compile_tree
from test_static import STATIC, require

pytestmark = pytest.mark.xen_cannot("its SMMU drivers are not built for this, and it prints none of our lines")

REGS = 0xfffc0000
# Of ZynqMP's: 48 groups, 16 contexts, pages of 4 KiB.
IDENTITY = {0x20: 0x7c010e30, 0x24: 0x30000010, 0x28: 0x00005555}
TREE = "axi { iommu@fd800000 { status = \"okay\"; reg = <0 0xfffc0000 0 0x20000>; }; };"
# In Debian's tree, but for the card, the port and the network, which find no firmware in QEMU's board (tools/qemu/boards.py).
STREAMS = ([*range(0x14e8, 0x14f0), *range(0x868, 0x870)] +
           [0x872, 0x874, 0x875, 0x876, 0x4d0, 0x873, 0x4c0, 0x4c1, 0x4c2, 0x4c3, 0x870, 0x860, 0x861])


# One of those devices, for a domain that has no other right to memory than the SMMU's.
DEVICE = """/dts-v1/;
/ {
    #address-cells = <2>; #size-cells = <2>;
    gic: gic { #interrupt-cells = <3>; interrupt-controller; };
    passthrough {
        compatible = "simple-bus"; ranges; #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
        dma@10000000 {
            compatible = "xlnx,zynqmp-dma-1.0"; reg = <0 0x10000000 0 0x1000>; interrupts = <0 0x7c 4>;
            xen,path = "/axi/dma-controller@fd500000"; xen,reg = <0 0xfd500000 0 0x1000 0 0x10000000>;
        };
    };
};"""
DEVICE_STREAM = 0x14e8


class Registers:
    """QEMU's own look at the machine's memory."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self.lines.readline())
            if "return" in answer:
                return answer["return"]
            assert "error" not in answer, answer

    def read(self, offset, count=1):
        text = self.command("human-monitor-command", **{"command-line": f"xp /{count}xw {REGS + offset:#x}"})
        return [int(word, 16) for line in text.splitlines() for word in line.split(":")[1].split()]


def identified(qmp):
    """QEMU's arguments: an SMMU-500's identity, and a look at the registers through socket `qmp`."""
    extra = ["-qmp", f"unix:{qmp},server=on,wait=off"]
    for offset, value in IDENTITY.items():
        extra += ["-device", f"loader,addr={REGS + offset:#x},data={value:#x},data-len=4"]
    return extra


def test_devices_of_a_real_tree(boot, tmp_path):
    qmp = str(tmp_path / "qmp")
    console = boot(board="zcu102", smp=4, tree=TREE, extra=identified(qmp), wait=False)
    console.expect(rb"\(BH\) SMMUv2 at 0xfffc0000: streams 0-0x7fff, 1 interrupts")
    console.expect(rb"\(BH\) d0: 26 devices of its tree, and what is behind them, reach its memory alone")
    console.expect(rb"\(BH\) Memory for guests")
    regs = Registers(qmp)
    assert regs.read(0x000) == [0x00201c26], "streams that are nobody's fault"
    groups = regs.read(0x800, 48)
    assert sorted(g & 0x7fffffff for g in groups if g >> 31) == sorted(STREAMS)
    assert {c for g, c in zip(groups, regs.read(0xc00, 48)) if g >> 31} == {0}, "by the first context, all of them"
    assert {c for g, c in zip(groups, regs.read(0xc00, 48)) if not g >> 31} == {0x20000}
    assert regs.read(0x1000) == [1] and regs.read(0x1800) == [1], "stage 2, tables of 64-bit descriptors"
    assert regs.read(0x10000, 2) == [0x161, 1] and regs.read(0x11000, 2) == [0, 1]
    control, = regs.read(0x10030)
    assert (control & 0x3f, control >> 6 & 3, control >> 16 & 7) == (24, 1, 5), "40 bits, from level 1"
    root, = struct.unpack("<Q", struct.pack("<2I", *regs.read(0x10020, 2)))
    assert root % 0x2000 == 0 and regs.read(root - REGS)[0] & 3 == 3, "tables: two adjacent ones, the lowest GiB in pieces"
    console.close()


def test_a_device_of_another_domain(boot, tmp_path):
    """It has a context of its own, with that domain's tables; dom0 keeps the others."""
    require(STATIC)
    qmp = str(tmp_path / "qmp")
    domains = [Domain("two", STATIC, devices=compile_tree(DEVICE, os.path.join(ROOT, "build", "trees")))]
    tree = TREE + " axi { dma-controller@fd500000 { xen,passthrough; }; };"
    console = boot(board="zcu102", smp=4, tree=tree, extra=identified(qmp), domains=domains, wait=False)
    console.expect(rb"\(BH\) d0: 25 devices of its tree, and what is behind them, reach its memory alone")
    console.expect(rb"\(BH\) Memory for guests")
    regs = Registers(qmp)
    bank = {g & 0x7fffffff: c for g, c in zip(regs.read(0x800, 48), regs.read(0xc00, 48)) if g >> 31}
    assert sorted(bank) == sorted(STREAMS)
    assert {s for s in bank if bank[s] != bank[STREAMS[1]]} == {DEVICE_STREAM} and set(bank.values()) == {0, 1}
    assert regs.read(0x10000) == [0x161] and regs.read(0x11000) == [0x161] and regs.read(0x12000) == [0]
    assert regs.read(0x1000) != regs.read(0x1004), "VMIDs"
    assert regs.read(0x10020) != regs.read(0x11020), "tables"
    console.close()


def test_registers_that_are_none(boot):
    """It says that it cannot do what is needed, and dom0 goes on without."""
    console = boot(board="zcu102", smp=4, tree=TREE, wait=False)
    console.expect(rb"\(BH\) SMMUv2 at 0xfffc0000: error 0")
    console.expect(re.escape(b"(BH) iommu@fd800000: error 19: not driven"))
    console.expect(rb"\(BH\) Memory for guests")
    console.close()
