# SPDX-License-Identifier: Apache-2.0
"""Boards that QEMU plays, with the device trees that Debian's kernel package has for them."""


class Board:
    """What differs from QEMU's "virt" machine."""

    def __init__(self, machine, tree, ram, console=0, extra=()):
        self.machine = machine        # after -M
        self.tree = tree              # in the package's folder of trees
        self.ram = ram                # where memory begins
        self.console = console        # which of QEMU's serial ports /chosen/stdout-path names
        self.extra = list(extra)      # more QEMU arguments


BOARDS = {
    # QEMU 10.0.2 forgets to give its CPUs their virtual interrupts (mended in 10.1): guests begin, and wait for ever.
    "imx8mp-evk": Board("imx8mp-evk", "freescale/imx8mp-evk.dtb", 0x40000000, console=1),
    # Its display port would look for a sound card.
    "zcu102": Board("xlnx-zcu102,virtualization=on", "xilinx/zynqmp-zcu102-rev1.0.dtb", 0, extra=("-audio", "none")),
}
