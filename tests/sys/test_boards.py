# SPDX-License-Identifier: Apache-2.0
"""Boards that QEMU plays, with their own device trees: all that a user does there, on one boot of each.

dom0 with its drivers of the board's SD card and network card, a bare-metal domain beside it, a guest of the stock toolstack
whose disk lies on the card, the console's UART, restart and power-off; and dom0's kernel has nothing more to complain about
than the same kernel on the same board without a hypervisor.
"""
import collections
import hashlib
import os
import random
import re
import shutil
import subprocess

import pytest
from conftest import LOGS, ROOT
from console import PROMPT
from domains import Domain
from run import GUESTS_DISK
from test_klog import WARNING, complaints, difference, kernel_log
from test_static import KEYS, STATIC, require, text_of, verdicts, wait_for

MIB = 1 << 20
GUEST_DISK = 8 * MIB        # of tools/image/mkdom0.py
LINES = 200000              # of the file that dom0 writes to the card
# The kernel gives up waiting for devices that QEMU lacks after ten seconds, and complains of them then.
SETTLED = "sleep 20"

# ram: what QEMU's tree says of mem, in MiB. firmware: QEMU's PSCI switches the machine off. restarts: it boots once more before that.
Row = collections.namedtuple("Row", "board model mem ram dom0_mem firmware restarts")
ROWS = [
    Row("imx8mp-evk", "NXP i.MX8MPlus EVK board", 3072, 3072, 1024, True, False),
    Row("raspi4b", "Raspberry Pi 4 Model B", 2048, 960, 512, False, False),
    Row("zcu102", "ZynqMP ZCU102 Rev1.0", 2048, 2048, 1024, True, True),
]

# What the kernel says of level "warning" or worse under any hypervisor with Xen's interface, and why.
NAMED = [
    (r"^Grant table initialized$", "said at level warning; there is none without a hypervisor"),
    (r"^software IO TLB: only able to allocate \d+ MB$", "dom0 has one for pages of guests; without a hypervisor there is none"),
]

# All that the hypervisor says on these boards; the erratum lines name the CPUs', which are the same without it.
SAID = re.compile(r"|".join([
    r"Bulkhead [\d.]+, loaded at 0x[0-9a-f]+", r"4 CPUs, \d+ MiB of RAM, GICv[23], timer \d+ Hz", r"Command line: .*",
    r"CPU erratum: A\d+( \d+)+", r"SMMU: \d+ devices behind \d+; nothing drives them", r"Scheduler: credit2", r"d\d: RAM .*",
    r"d0: 4 vCPUs, .*", r"d1: beside, 2 vCPUs, .*", r"Memory for guests: \d+ of \d+ KiB", r"beside ended: reason 0", r"Input goes to .*",
    r"d0 shut down: switching the machine off", r"d0 restarts: restarting the machine",
    r"The firmware did not switch the machine off",      # raspi4b's, see end()
]))


@pytest.fixture(name="newer_qemu", scope="module")
def fixture_newer_qemu():
    """The machine's own QEMU may be too old for a board."""
    done = subprocess.run([os.path.join(ROOT, "tools", "setup", "fetch_qemu.sh")], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def cpus_and_model(console, row):
    console.check("dmesg -n 1")     # what the kernel says ten seconds after its start would be taken for output
    assert console.check("nproc; tr -d '\\0' </proc/device-tree/model").split("\n") == ["4", row.model]
    assert console.check("awk '/arch_timer/ { print ($2 > 10) + ($3 > 10) + ($4 > 10) + ($5 > 10) }' /proc/interrupts") == "4"


def card(console):
    """The file system on the SD card: what mkdom0.py wrote is read, what dom0 writes is read again."""
    assert console.check("grep -o 'mmcblk[0-9] /guests' /proc/mounts")
    console.check(f"seq {LINES} >/guests/lines; sync; echo 3 >/proc/sys/vm/drop_caches")
    assert console.check("sha256sum </guests/one.img").split()[0] == sha256(random.Random("one").randbytes(GUEST_DISK))
    assert console.check("sha256sum </guests/lines").split()[0] == sha256(written())


def written():
    return "".join(f"{number}\n" for number in range(1, LINES + 1)).encode()


def network(console, data):
    """The board's own network card: a file from the host."""
    console.check("ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up")
    console.check("until [ \"$(cat /sys/class/net/eth0/carrier)\" = 1 ]; do sleep 0.1; done")
    console.check("tftp -g -b 1400 -r file -l /tmp/file 10.0.2.2")
    assert console.check("sha256sum </tmp/file").split()[0] == sha256(data)
    # A packet, an interrupt; the i.MX's card has a second line that says what the first says: one more, and not a storm.
    counts = console.check("awk '/ethernet|eth0/ { print $2 + $3 + $4 + $5 }' /proc/interrupts").split()
    assert 0 < sum(map(int, counts)) < 4 * len(data) // 1400


def guest(console):
    """A stock Linux of the stock toolstack, whose disk is a file on the card."""
    console.check("xl create /etc/xen/one.cfg && guest one --wait", idle=600)
    assert console.check("guest one 'sha256sum /dev/xvda'", idle=600).split()[0] == sha256(random.Random("one").randbytes(GUEST_DISK))
    assert re.search(r"^one +\d+ +128 +1 ", console.check("xl list"), re.MULTILINE)
    # The disk's loop device goes when its backend has closed it.
    console.check("xl destroy one; for t in 0.1 1 3 9; do umount /guests && break; sleep $t; done; ! grep ' /guests ' /proc/mounts")


def keyboard(console, hyp, number):
    """It goes round by interrupts of the board's UART: the bare-metal domain waits for a line."""
    wait_for(console, b"type a line")
    console.leave()
    console.send(KEYS)
    console.expect(b"Input goes to beside now")
    console.send("a line\r")
    verdicts(console, hyp, [number])
    for name in (b"the hypervisor", b"dom0"):
        console.send(KEYS)
        console.expect(b"Input goes to " + name + b" now")
    console.send("\r")
    console.expect(PROMPT)


def end(console, row):
    if row.restarts:
        console.send("reboot -f\r")
        console.expect(rb"\(BH\) d0 [^\n]*restarting")
        console.expect(rb"\(BH\) Bulkhead [^\n]*")
        console.wait_ready()
    console.send("poweroff -f\r")
    console.expect(rb"\(BH\) d0 shut down: switching the machine off")
    if row.firmware:
        assert console.expect_end() == 0
    else:
        console.expect(rb"\(BH\) The firmware did not switch the machine off")
        console.close()


def new_complaints(ours, native):
    return [line for line in complaints(ours, native)
            if not any(re.search(pattern, line.split(" ", 1)[1]) for pattern, _ in NAMED)]


def no_new_complaints(console, native, name):
    """Neither dom0's kernel nor the hypervisor has any."""
    ours = kernel_log(console)
    os.makedirs(LOGS, exist_ok=True)
    with open(os.path.join(LOGS, f"klog-{name}.diff"), "w", encoding="utf-8") as file:
        file.write(difference(ours, native))
    assert not new_complaints(ours, native)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.board)
@pytest.mark.usefixtures("newer_qemu")
def test_board(boot, hyp, tmp_path, row):
    require(STATIC, GUESTS_DISK)
    disk, sent = tmp_path / "card.img", random.Random("tftp").randbytes(MIB)
    shutil.copyfile(GUESTS_DISK, disk)
    (tmp_path / "file").write_bytes(sent)
    parts = {"board": row.board, "smp": 4, "mem": row.mem, "dom0_mem": row.dom0_mem, "icount": True, "net": "pci",
             "tftp": str(tmp_path)}
    native = boot(native=True, **parts)
    native.check(SETTLED)
    log = kernel_log(native)
    native.close()

    console = boot(domains=[Domain("beside", STATIC, cpus=2, bootargs="keyboard")], disks=[(str(disk), "sd")], **parts)
    cpus_and_model(console, row)
    keyboard(console, hyp, 1)       # before all that sleeps: the domain polls until it has its line
    console.check(SETTLED)
    no_new_complaints(console, log, row.board)
    card(console)
    if row.board != "raspi4b":      # QEMU's has no network card
        network(console, sent)
    guest(console)
    # The same after the work, of which the kernel without a hypervisor has not done all: errors, not warnings.
    assert not [line for line in new_complaints(kernel_log(console), log) if int(line[1]) < WARNING]
    console.leave()
    end(console, row)
    assert f"4 CPUs, {row.ram} MiB of RAM" in text_of(console)
    assert not [line for line in re.findall(r"\(BH\) ([^\r\n]*)", text_of(console)) if not SAID.fullmatch(line.rstrip())]
    back = subprocess.run(["debugfs", "-R", "cat lines", str(disk)], capture_output=True, check=True,
                          env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")).stdout
    assert back == written()
