# SPDX-License-Identifier: Apache-2.0
"""What is said before anything is set up can be read on each board that QEMU plays, on the port that its own tree names.

A few instructions in place of the boot loader start the hypervisor, at EL1 (MMU off) or with a tree that cannot be used.
"""
import os
import struct

import pytest
from run import BUILD, MIB, Machine, hypervisor_path
from test_badinput import expect_refusal, fixture_run, grown, without_magic  # noqa: F401  pylint: disable=unused-import
from test_boards import fixture_newer_qemu  # noqa: F401  pylint: disable=unused-import

HYP_OFFSET = 32 * MIB
TREE_OFFSET = 48 * MIB
# To EL1 with interrupts masked, x0 as it is: hcr_el2 (RW), spsr_el2, elr_el2; ldr x1 of what follows; eret.
DROP = struct.pack("<8I", 0xd2b00001, 0xd51c1101, 0xd28078a1, 0xd51c4001, 0x58000081, 0xd51c4021, 0xd69f03e0, 0)
# ldr x0, tree; ldr x1, hypervisor; br x1
PASS_TREE = struct.pack("<4I", 0x58000080, 0x580000a1, 0xd61f0020, 0)

BOARDS = pytest.mark.parametrize("board, mem, tree", [
    ("imx8mp-evk", 1024, "freescale/imx8mp-evk"),           # i.MX UART
    ("zcu102", 1024, "xilinx/zynqmp-zcu102-rev1.0"),        # Cadence UART
    ("raspi4b-mini", 2048, "broadcom/bcm2711-rpi-4-b"),     # words of the 8250 family, behind a bus with addresses of its own
])


@pytest.fixture(autouse=True)
def wants_hypervisor(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own messages")


class Started(Machine):
    """A board whose boot loader is LOADER, with addresses behind it."""

    def __init__(self, hyp, folder, board, mem, tree=None):
        super().__init__(hyp, board=board, mem=mem, smp=4, kernel=None, initrd=None)
        where = self.ram_base() + HYP_OFFSET
        self.more = [(hypervisor_path(hyp), where)]
        loader = DROP + struct.pack("<Q", where)
        if tree:
            (folder / "tree.dtb").write_bytes(tree)
            self.more.append((str(folder / "tree.dtb"), self.ram_base() + TREE_OFFSET))
            loader = PASS_TREE + struct.pack("<2Q", self.more[1][1], where)
        self.loader_path = folder / "loader.bin"
        self.loader_path.write_bytes(loader)

    def command(self, interactive=False):
        words = super().command(interactive)
        words[words.index("-kernel") + 1] = str(self.loader_path)
        for path, where in self.more:
            words += ["-device", f"loader,file={path},addr={where:#x},force-raw=on"]
        return words


def tree_of(name):
    with open(os.path.join(BUILD, "peer", "dtbs", name + ".dtb"), "rb") as file:
        return file.read()


@BOARDS
@pytest.mark.usefixtures("newer_qemu")
def test_wrong_exception_level(run, hyp, tmp_path, board, mem, tree):
    del tree
    expect_refusal(run(Started(hyp, tmp_path, board, mem)), rb"this CPU is at EL1", last=rb"must be started at EL2[^\n]*\n[^\n]*\n")


@BOARDS
@pytest.mark.parametrize("damage, cause", [
    (grown, rb"device tree: its total size is beyond 2 MiB"),
    (without_magic, rb"device tree: not found where the loader said"),
])
@pytest.mark.usefixtures("newer_qemu")
def test_damaged_tree(run, hyp, tmp_path, board, mem, tree, damage, cause):
    expect_refusal(run(Started(hyp, tmp_path, board, mem, damage(tree_of(tree)))), cause)
