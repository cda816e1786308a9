# SPDX-License-Identifier: Apache-2.0
"""Boards that QEMU plays, with the device trees that Debian's kernel package has for them."""


class Board:
    """What differs from QEMU's "virt" machine."""

    # pylint: disable=too-many-arguments
    def __init__(self, machine, tree, ram, console=0, lacks="", args="", extra=()):
        self.machine = machine        # after -M
        self.tree = tree              # in the package's folder of trees
        self.ram = ram                # where memory begins
        self.console = console        # which of QEMU's serial ports /chosen/stdout-path names
        self.lacks = lacks            # device tree source: devices that QEMU does not have and kernels would die of
        self.args = args              # for the hypervisor's command line
        self.extra = list(extra)      # more QEMU arguments


RASPI4B_LACKS = "soc { " + " ".join(f'{name} {{ status = "disabled"; }};' for name in (
    "clock@7ef00000", "interrupt-controller@7ef00100", "i2c@7ef04500", "i2c@7ef09500")) + " };"

BOARDS = {
    # QEMU 10.0.2 forgets to give its CPUs their virtual interrupts (mended in 10.1): guests begin, and wait for ever.
    "imx8mp-evk": Board("imx8mp-evk", "freescale/imx8mp-evk.dtb", 0x40000000, console=1),
    # Firmware tells the hypervisor which port is the console; the tree names the other one.
    "raspi4b": Board("raspi4b", "broadcom/bcm2711-rpi-4-b.dtb", 0, args="dtuart=serial0",
                     lacks=RASPI4B_LACKS),
    # The same with the port that its tree names, the mini-UART.
    "raspi4b-mini": Board("raspi4b", "broadcom/bcm2711-rpi-4-b.dtb", 0, console=1, lacks=RASPI4B_LACKS),
    # Its display port would look for a sound card.
    "zcu102": Board("xlnx-zcu102,virtualization=on", "xilinx/zynqmp-zcu102-rev1.0.dtb", 0, extra=("-audio", "none")),
}
