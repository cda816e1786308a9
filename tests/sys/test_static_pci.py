# SPDX-License-Identifier: Apache-2.0
"""PCI functions of domains that the device tree starts: without dom0, and firmware has placed nothing.

Two stock Linux guests, one with an NVMe disk, one with an e1000e card and a virtio disk, beside others that are refused.
"""
import os
import re

import console as typing
import pytest
from domains import Domain
from run import BUILD
from test_static import KERNEL, KEYS, STATIC, require, text_of, wait_for
from test_xl_pci import (BLOCK, DISK, E1000E, FETCH_E1000E, HALF, MACHINE, MESSAGES, MIB, NVME, PORT, SMALL, TFTP_SIZE, WAIT, busy,
                         cards, counts, known_bytes, sha256)

pytestmark = pytest.mark.xen_cannot("Debian's Xen gives no PCI functions away on Arm, and bulkhead,pci is ours")

RAMDISK = os.path.join(BUILD, "dom0", "domu-pci.cpio.gz")
ARGS = "console=ttyAMA0 rdinit=/init panic=1 cma=0 loglevel=1 guest="
NONE = "0000:00:0a.0"
TYPED = 40                  # bytes at a time: a guest's UART keeps 64
FAR = "0001:00:03.0"        # of no host


def functions(*names):
    return "bulkhead,pci = " + ", ".join(f'"{name}"' for name in names) + ";"


def linux(name, *names):
    return Domain(name, KERNEL, ramdisk=RAMDISK, mem=192, bootargs=ARGS + name, text=functions(*names))


def bare(name, text, **parts):
    return Domain(name, STATIC, text=text, **parts)


def ask(console, command):
    """What the guest with the keyboard answers, in lines, which begin with its name."""
    tag = console.start_command(command)
    begin = console.seen
    end = console.expect(rf"<{tag}:end (\d+)>".encode())
    text = console.data[begin:end.start()].decode(errors="replace")
    assert end.group(1) == b"0", text
    return [re.sub(r"^\(\w+\) ", "", line).strip() for line in text.split("\n")]


def sums(lines):
    """The SHA-256 sums among them."""
    return [match.group(1) for line in lines if (match := re.match(r"([0-9a-f]{64})\b", line))]


def nvme_works(console, disk):
    """In the guest with the keyboard: right data both ways, by messages. DISK: the host's file of it."""
    first_half = sha256(known_bytes("nvme", DISK)[:HALF])
    assert sums(ask(console, busy(WAIT.format("nvme0n1") + f"; head -c {HALF} /dev/nvme0n1 | sha256sum"))) == [first_half]
    written, = sums(ask(console, busy(f"head -c {MIB} /dev/urandom >/tmp/noise; sha256sum </tmp/noise; dd if=/tmp/noise "
                                      "of=/dev/nvme0n1 bs=256k seek=32 conv=fsync,notrunc 2>/dev/null")))
    with open(disk, "rb") as file:
        assert sha256(file.read(HALF)) == first_half
        assert sha256(file.read(MIB)) == written
    raised = counts("\n".join(ask(console, MESSAGES)))
    assert sum(count for name, count in raised.items() if re.match("nvme0q[1-9]", name)) > 30, raised


def test_two_guests(boot, monkeypatch):
    """Data right both ways, by messages through the virtual ITS; each refusal has its own reason and costs one domain."""
    monkeypatch.setattr(typing, "CHUNK", TYPED)
    require(KERNEL, RAMDISK, STATIC)
    words, disk = cards("static-pci")
    domains = [linux("one", NVME), linux("two", E1000E, BLOCK),
               bare("again", functions(BLOCK)), bare("bridge", functions(PORT)), bare("small", functions(SMALL)),
               bare("none", functions(NONE)), bare("far", functions(FAR)), bare("host", functions("0000:00:00.0")),
               bare("text", functions("00:03.0")), bare("behind", functions("0000:01:00.0"))]
    console = boot(wait=False, kernel=None, initrd=None, gic=3, smp=2, mem=1024, icount=True, reboot=False, domains=domains,
                   board_options=MACHINE, extra=[*words, "-global", "arm-smmuv3.stage=2"])
    for name in (b"one", b"two"):       # and neither breaks the other one's lines
        wait_for(console, b"guest %s is up" % name)
    log = text_of(console)
    for text in (f"one: has PCI {NVME}", f"two: has PCI {E1000E}", f"two: has PCI {BLOCK}",
                 '/chosen/again: "bulkhead,pci" names a function that is given already',
                 f"PCI {PORT}: not for guests: it is a bridge", f"PCI {SMALL}: not for guests: a BAR is smaller than a page",
                 f"PCI {NONE}: not for guests: there is none", f"PCI {FAR}: not for guests: no host that could be used has it",
                 "PCI 0000:00:00.0: not for guests: it is a bridge", '/chosen/text: "bulkhead,pci" is no list of functions',
                 "PCI 0000:01:00.0: not for guests: it is behind a bridge"):
        assert text in log, text
    assert re.findall(r"/chosen/(\w+): this domain is not started", log) == [domain.name for domain in domains[2:]]
    nvme_works(console, disk)
    console.send(KEYS)
    console.expect(rb"Input goes to two now")
    console.serving = False
    assert sums(ask(console, WAIT.format("vda") + "; sha256sum </dev/vda")) == [sha256(known_bytes("block", MIB))]
    assert sums(ask(console, FETCH_E1000E)) == [sha256(known_bytes("tftp", TFTP_SIZE))]
    raised = counts("\n".join(ask(console, MESSAGES)))
    assert sum(count for name, count in raised.items() if name.startswith("eth")) > 100, raised
    assert "refused by" not in text_of(console)
