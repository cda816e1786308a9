# SPDX-License-Identifier: Apache-2.0
"""Consoles of the 8250 family on boards that QEMU plays."""
from test_static import KEYS, text_of


def test_raspi4b_mini_uart(boot):
    """The port that the tree's stdout-path names: words 4 bytes apart, in a page with other devices; keys by interrupt."""
    console = boot(board="raspi4b-mini", smp=4, mem=2048, dom0_mem=512, icount=True, reboot=False)
    console.check("dmesg -n 1")     # no words of the kernel's between those of a command
    # What dom0's kernel typed back came through the port's interrupt, and not a character was lost.
    assert console.check("tr '\\0' ' ' </proc/device-tree/model") == "Raspberry Pi 4 Model B "
    line = "0123456789" * 10
    assert console.check(f"echo {line} | wc -c") == "101"
    assert console.check("ls -d /proc/device-tree/soc/serial@7e215040 2>&1 | grep -c 'No such'") == "1"
    console.send(KEYS)
    console.expect(b"Input goes to the hypervisor now")
    console.send("q")
    console.expect(rb"\(BH\)   v0 \w+ on CPU \d")
    console.send(KEYS)
    console.expect(b"Input goes to dom0 now")
    console.leave()
    console.send("poweroff -f\r")
    console.expect(rb"\(BH\) d0 shut down")
    assert "there is no console" not in text_of(console)
