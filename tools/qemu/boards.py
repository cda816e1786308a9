# SPDX-License-Identifier: Apache-2.0
"""Boards that QEMU plays, with the device trees that Debian's kernel package has for them."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))


class Board:
    """What differs from QEMU's "virt" machine."""

    # pylint: disable=too-many-arguments,too-many-instance-attributes
    def __init__(self, machine, tree, ram, **parts):
        self.machine = machine        # after -M
        self.tree = tree              # in the package's folder of trees, or source beside this file
        self.ram = ram                # where memory begins
        self.qemu = ""                # the oldest QEMU that plays it well enough, where host.sh's does not
        self.console = 0              # which of QEMU's serial ports /chosen/stdout-path names
        self.tty = ""                 # its name in a kernel that runs without a hypervisor
        self.card = "if=sd"           # a disk in the slot that the tree names
        self.nics = 0                 # network cards of the machine, up to the one that the tree names
        self.rom = ""                 # of a device that cannot be left out: an empty file will do
        self.lacks = ""               # device tree source: what QEMU does not have and kernels would die of or wait for
        self.args = ""                # for the hypervisor's command line
        self.extra = ()               # more QEMU arguments
        for name, value in parts.items():
            if not hasattr(self, name):
                raise TypeError(f"a Board has no '{name}'")
            setattr(self, name, value)


# ZynqMP's clocks, power domains and pins are its firmware's, which QEMU's board does not have: the kernel waits for them for
# ever, and without a hypervisor dies of the first call. These devices find clocks that always run in their place.
ZCU102_LACKS = """
firmware { zynqmp-firmware { status = "disabled"; }; };
card_clock: card-clock { compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <200000000>; };
bus_clock: bus-clock { compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <125000000>; };
axi {
    mmc@ff170000 { FREE clocks = <&card_clock &bus_clock>; };
    serial@ff000000 { FREE clocks = <&bus_clock &bus_clock>; };
    ethernet@ff0e0000 { FREE clocks = <&bus_clock &bus_clock &bus_clock &bus_clock &bus_clock>; ethernet-phy@c { reg = <23>; }; };
};
""".replace("FREE", "/delete-property/ power-domains; /delete-property/ pinctrl-0; /delete-property/ resets; /delete-property/ iommus;")

# The kernel dies of the first four, also without a hypervisor. QEMU puts the card where the real board has its radio, whose
# power is switched by pins that QEMU's firmware does not know. A radio behind the serial port would take its tty away.
RASPI4B_LACKS = """
soc {
    clock@7ef00000 { status = "disabled"; };
    interrupt-controller@7ef00100 { status = "disabled"; };
    i2c@7ef04500 { status = "disabled"; };
    i2c@7ef09500 { status = "disabled"; };
    mmc@7e300000 { /delete-property/ mmc-pwrseq; };
    serial@7e201000 { bluetooth { status = "disabled"; }; };
};
"""

BOARDS = {
    # Older ones do not connect the CPUs' virtual interrupts: guests begin, and wait for ever.
    "imx8mp-evk": Board("imx8mp-evk", "freescale/imx8mp-evk.dtb", 0x40000000, qemu="10.1", console=1, tty="ttymxc1",
                        card="if=sd,bus=1", nics=1),
    # Firmware tells the hypervisor which port is the console; the tree names the other one.
    "raspi4b": Board("raspi4b", "broadcom/bcm2711-rpi-4-b.dtb", 0, tty="ttyAMA0", args="dtuart=serial0",
                     lacks=RASPI4B_LACKS),
    # The same with the port that its tree names, the mini-UART.
    "raspi4b-mini": Board("raspi4b", "broadcom/bcm2711-rpi-4-b.dtb", 0, console=1, tty="ttyS1", lacks=RASPI4B_LACKS),
    # No vendor describes it by a device tree, and QEMU leaves its other CPUs to a firmware that Debian does not have.
    "sbsa-ref": Board("sbsa-ref", os.path.join(HERE, "sbsa-ref.dts"), 0x10000000000, tty="ttyAMA0", card="if=ide",
                      rom="vgabios-bochs-display.bin", extra=("-cpu", "cortex-a57")),
    # Its display port would look for a sound card.
    "zcu102": Board("xlnx-zcu102,virtualization=on", "xilinx/zynqmp-zcu102-rev1.0.dtb", 0, tty="ttyPS0", card="if=sd,index=1",
                    nics=4, lacks=ZCU102_LACKS, extra=("-audio", "none")),
}
