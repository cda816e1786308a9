# SPDX-License-Identifier: Apache-2.0
"""PCI functions of domains that the device tree starts beside dom0, whose stock kernel has the rest of the same bus."""
import base64
import gzip
import re

import console as typing
import pytest
from test_static import KEYS, KERNEL, STATIC, require, text_of
from test_static_pci import RAMDISK, TYPED, bare, functions, linux, nvme_works, sums
from test_xl_pci import (BLOCK, E1000E, FETCH_E1000E, INITRD, MACHINE, MIB, NVME, PORT, SMALL, TFTP_SIZE, TOOL, WAIT, cards,
                         known_bytes, sha256)

pytestmark = pytest.mark.xen_cannot("Debian's Xen gives no PCI functions away on Arm, and bulkhead,pci is ours")

NONE, FIRST, SECOND = "0000:00:0b.0", "0000:00:0a.0", "0000:00:0a.1"
ECAM = 0x4010000000
NVME_CONFIG = ECAM + (3 << 15)
WINDOW_END = 0x3eff0000     # of QEMU's window of 32 bits
NVME_BAR = WINDOW_END - 0x4000
EDU_BAR = 0x3ee00000        # 1 MiB, below that
# dom0's own disk and card, again and again, each with its sum.
LOAD = (f"(while :; do sha256sum </dev/vda; {FETCH_E1000E}; done) >/run/load 2>/dev/null & echo $! >/run/load.pid")
SEEN = "ls /sys/bus/pci/devices"


def keyboard(console, name):
    """It goes round; who has it next is said each time."""
    for _ in range(6):
        console.send(KEYS)
        if console.expect(rb"Input goes to ([\w ]+) now").group(1).decode() == name:
            return
    assert False, f"the keyboard did not come to {name}"


def audit(console):
    assert '"verdict": "PASS"' in console.check("sh /run/bulkhead-audit")


def copy(console, path, to):
    """A file into dom0."""
    with open(path, "rb") as file:
        text = base64.b64encode(gzip.compress(file.read())).decode()
    console.check(f"echo {text} | base64 -d | gunzip >{to}")


def not_dom0s(console):
    """Neither its bus nor its configuration space, nor its registers, nor dom0's tools know of it."""
    console.check("echo 1 >/sys/bus/pci/rescan")
    seen = console.check(SEEN).split()
    assert NVME not in seen and FIRST not in seen and SECOND not in seen, seen
    assert {E1000E, BLOCK, PORT, SMALL} <= set(seen), seen
    for reg in (0, 4, 0x10):
        assert console.check(f"devmem {NVME_CONFIG + reg:#x} 32") == "0xFFFFFFFF"
    console.check(f"devmem {NVME_CONFIG + 4:#x} 16 0")
    for address in (NVME_BAR, NVME_BAR + 0x3ffc, EDU_BAR):
        status, output = console.sh(f"devmem {address:#x} 32")
        assert status != 0 and "Bus error" in output, f"{address:#x}: {output}"
    status, output = console.sh(f"xl pci-assignable-add {NVME}")
    assert status != 0 and "0000:00:03.0" in output, output


def in_dom0(console):
    """What dom0 has, and that it works."""
    assert sums(console.check(WAIT.format("vda") + "; sha256sum </dev/vda").split("\n")) == [sha256(known_bytes("block", MIB))]
    assert sums(console.check(FETCH_E1000E).split("\n")) == [sha256(known_bytes("tftp", TFTP_SIZE))]
    ends = [int(end, 16) for end in re.findall(r"^10000000-([0-9a-f]+) : ", console.check("cat /proc/iomem"), re.MULTILINE)]
    assert ends == [EDU_BAR - 1], ends


def refusals(log):
    for text in (f"one: has PCI {NVME}", f"two: has PCI {FIRST}",
                 "the last 1984 KiB of the window at 0x10000000 are not d0's",
                 f"PCI {SECOND}: d0 will not find it, as function 0 of its device is not d0's",
                 '/chosen/again: "bulkhead,pci" names a function that is given already',
                 f"PCI {PORT}: not for guests: it is a bridge", f"PCI {SMALL}: not for guests: a BAR is smaller than a page",
                 f"PCI {NONE}: not for guests: there is none"):
        assert text in log, text
    assert re.findall(r"/chosen/(\w+): this domain is not started", log) == ["again", "bridge", "small", "none"]


def test_beside_dom0(boot, monkeypatch):
    """A stock guest drives the NVMe disk of a bus whose rest dom0 drives; dom0 does not see it, nor after the guest's end."""
    monkeypatch.setattr(typing, "CHUNK", TYPED)
    require(KERNEL, RAMDISK, STATIC, INITRD)
    words, disk = cards("static-pci-dom0")
    words += ["-device", "edu,addr=0a.0,multifunction=on", "-device", "edu,addr=0a.1", "-global", "arm-smmuv3.stage=2"]
    console = boot(xl=True, initrd=INITRD, gic=3, smp=2, mem=2048, icount=True, reboot=False, board_options=MACHINE, extra=words,
                   dom0_args="iomem=relaxed",
                   domains=[linux("one", NVME), bare("two", functions(FIRST)), bare("again", functions(NVME)),
                            bare("bridge", functions(PORT)), bare("small", functions(SMALL)), bare("none", functions(NONE))])
    console.check("dmesg -n 1")
    if "guest one is up" not in text_of(console):
        console.expect(b"guest one is up")
    refusals(text_of(console))
    copy(console, TOOL, "/run/bulkhead-audit")
    audit(console)
    console.check("modprobe e1000e; modprobe virtio_blk; modprobe xen-pciback")
    in_dom0(console)
    not_dom0s(console)
    rows = {row.split()[-5] for row in console.check("xl list | tail -n +2").splitlines()}
    assert {"0", "1"} <= rows, rows
    console.check(LOAD)
    console.leave()
    keyboard(console, "one")
    nvme_works(console, disk)
    console.serving = False
    keyboard(console, "dom0")
    audit(console)
    enough = "until [ $(wc -l </run/load) -gt 2 ]; do sleep 0.1; done"
    found = sums(console.check(f"{enough}; kill $(cat /run/load.pid); cat /run/load").split("\n"))
    assert set(found) == {sha256(known_bytes("block", MIB)), sha256(known_bytes("tftp", TFTP_SIZE))} and len(found) > 2, found
    console.check("for d in 1 2; do xl destroy $d; while xl list $d >/dev/null 2>&1; do sleep 1; done; done")
    not_dom0s(console)
    in_dom0(console)
    audit(console)
    assert "refused by" not in text_of(console)
