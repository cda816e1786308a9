# SPDX-License-Identifier: Apache-2.0
"""Boards that QEMU plays, with their own device trees: dom0, a domain beside it, the console's UART, power-off."""
from domains import Domain
from test_static import KEYS, STATIC, require, text_of, verdicts


def test_zcu102(boot, hyp):
    """ZynqMP: a GIC-400 whose frames are repeated for pages of 64 KiB, a Cadence UART, memory from 0."""
    require(STATIC)
    console = boot(board="zcu102", smp=4, icount=True, reboot=False, domains=[Domain("beside", STATIC, cpus=2, bootargs="keyboard")])
    assert console.check("nproc; tr '\\0' ' ' </proc/device-tree/model").split("\n") == ["4", "ZynqMP ZCU102 Rev1.0 "]
    assert console.check("awk '/arch_timer/ { print ($2 > 10) + ($3 > 10) + ($4 > 10) + ($5 > 10) }' /proc/interrupts") == "4"
    console.leave()
    console.send(KEYS)
    console.expect(b"Input goes to beside now")
    console.send("a line\r")
    verdicts(console, hyp, [1])
    for name in (b"the hypervisor", b"dom0"):
        console.send(KEYS)
        console.expect(b"Input goes to " + name + b" now")
    console.send("poweroff -f\r")
    console.expect(rb"\(BH\) d0 shut down: switching the machine off")
    assert console.expect_end() == 0


def test_raspi4b(boot, hyp):
    """Cortex-A72 that wait for a word in memory (spin table) instead of PSCI; the console is a PL011."""
    require(STATIC)
    console = boot(board="raspi4b", smp=4, mem=2048, dom0_mem=512, icount=True, reboot=False,
                   domains=[Domain("beside", STATIC, cpus=2)])
    assert console.check("nproc; tr '\\0' ' ' </proc/device-tree/model").split("\n") == ["4", "Raspberry Pi 4 Model B "]
    verdicts(console, hyp, [1])
    console.leave()
    console.send("poweroff -f\r")
    console.expect(rb"\(BH\) d0 shut down")


def test_imx8mp(boot):
    """i.MX 8M Plus: its UART prints and takes keys. QEMU's board has no virtual interrupts: dom0's kernel waits for its first."""
    console = boot(board="imx8mp-evk", smp=4, mem=3072, reboot=False, wait=False)
    console.expect(rb"Machine model: NXP i.MX8MPlus EVK board")
    console.expect(rb"smp: Bringing up secondary CPUs")
    console.send(KEYS)
    console.expect(b"Input goes to the hypervisor now")
    console.send("q")
    console.expect(rb"\(BH\)   v0 running on CPU \d")
    assert "4 CPUs, 3072 MiB of RAM, GICv3" in text_of(console)
