# SPDX-License-Identifier: Apache-2.0
"""QEMU's sbsa-ref, memory at 1 TiB, by a device tree of ours: one CPU, since Debian has no firmware for it."""
from domains import Domain
from test_static import KEYS, STATIC, require, text_of, verdicts, wait_for


def test_sbsa_ref(boot, hyp):
    """dom0's shell on the board's PL011, its clock chip, and a bare-metal domain beside it that takes a line by interrupt."""
    require(STATIC)
    console = boot(board="sbsa-ref", smp=1, mem=2048, dom0_mem=512, icount=True, reboot=False,
                   domains=[Domain("beside", STATIC, bootargs="keyboard")])
    console.check("dmesg -n 1")     # no words of the kernel's between those of a command
    assert console.check("tr '\\0' ' ' </proc/device-tree/model; cat /sys/class/rtc/rtc0/name").startswith("QEMU sbsa-ref rtc-pl031")
    wait_for(console, b"type a line")
    console.leave()
    console.send(KEYS)
    console.expect(b"Input goes to beside now")
    console.send("a line\r")
    verdicts(console, hyp, [1])
    assert "1 CPUs, 2048 MiB of RAM, GICv3" in text_of(console)
    assert "512 MiB, 0 of it below 4 GiB" in text_of(console)
    assert text_of(console).count("d0: too little memory below 4 GiB: its devices that reach no further may not work") == 1
