# SPDX-License-Identifier: Apache-2.0
"""The control domain behind an SMMUv3, and guests whose disk is on a device behind it.

QEMU's SMMU stands between memory and its PCI host; with iommu_platform a virtio device's accesses go through it as those
of any other PCI device do.
"""
import hashlib
import itertools
import json
import os
import random
import re

import pytest
from conftest import LOGS, ROOT
from xl import run_steps, step
from xl_domu import config, output

# One worker: its disk is one file, which QEMU lends to one machine at a time.
pytestmark = pytest.mark.xdist_group("smmu")

MIB = 1 << 20
DISK = 16 * MIB
HALF = DISK // 2
BEHIND = "iommu_platform=on,disable-legacy=on"
FIND_DISK = "d=/dev/$(cd /sys/block; grep -l ^behind vd*/serial | cut -d/ -f1)"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def audit_tool():
    with open(os.path.join(ROOT, "tools", "audit", "bulkhead-audit"), "rb") as file:
        return "/run/bulkhead-audit", file.read()


@pytest.fixture(scope="module", name="ran")
def fixture_ran(request):
    """(results, first half of the disk as it was, the disk's file)"""
    os.makedirs(LOGS, exist_ok=True)
    path = os.path.join(LOGS, "smmu-disk.img")
    data = random.Random("smmu").randbytes(DISK)
    with open(path, "wb") as file:
        file.write(data)
    name, text = config("one", 1, 1, 128)
    text = text.replace(b"/guests/one.img,raw", b"phy:/tmp/disk")
    steps = [
        step("tree", "find /proc/device-tree/ | grep -iE 'smmu|iommu'; true"),
        step("info", "xl info | grep virt_caps"),
        step("log", "xl dmesg | sed 's/^(BH)/:/'"),
        step("disk", f"{FIND_DISK}; ln -sf $d /tmp/disk; readlink -f /sys/block/${{d#/dev/}}/device; sha256sum <$d"),
        step("create", "xl create -q /etc/xen/one.cfg && guest one --wait"),
        step("read", f"guest one 'head -c {HALF} /dev/xvda | sha256sum'"),
        step("write", f"guest one 'head -c {HALF} /dev/urandom >/tmp/noise; sha256sum </tmp/noise; "
                      "dd if=/tmp/noise of=/dev/xvda bs=256k seek=32 conv=fsync,notrunc 2>/dev/null'"),
        step("direct", "guest one 'for n in 1 2 3; do dd if=/dev/xvda of=/dev/null bs=512k iflag=direct 2>&1 | tail -1; done'"),
        step("again", f"guest one 'echo 3 >/proc/sys/vm/drop_caches; tail -c {HALF} /dev/xvda | sha256sum'"),
        step("destroy", "guest one 'while :; do dd if=/dev/xvda of=/dev/null bs=64k; done >/dev/null 2>&1 &'; sleep 0.3; "
                        "xl destroy one; sleep 1; " + FIND_DISK + f"; head -c {HALF} $d | sha256sum"),
        step("audit", "sh /run/bulkhead-audit"),
        step("faults", "xl dmesg | grep -cE 'refused by|does not answer'; true"),
    ]
    extra = ["-global", "arm-smmuv3.stage=2", "-drive", f"if=none,id=behind,format=raw,cache=unsafe,file={path}",
             "-device", f"virtio-blk-pci,drive=behind,serial=behind,{BEHIND}"]
    results = run_steps(request.config.getoption("--hyp"), "smmu-xl", steps, [(name, text), audit_tool()],
                        board_options=",iommu=smmuv3", extra=extra)
    return results, data, path


def test_control_domain_does_not_see_it(ran):
    assert output(ran[0], "tree") == ""


def test_it_is_told(ran):
    log = output(ran[0], "log")
    assert re.search(r"SMMUv3 at 0x9050000: streams 0-0xffff, \d+ interrupts", log)
    assert "d0: 1 devices of its tree, and what is behind them, reach its memory alone" in log
    assert output(ran[0], "info").split(":")[1].split() == ["hvm", "hvm_directio", "hap", "iommu_hap_pt_share", "gnttab-v1"]


def test_control_domains_disk(ran):
    where, digest = output(ran[0], "disk").split("\n")
    assert "/pci" in where
    assert digest.split()[0] == sha256(ran[1])


def test_guests_disk(ran):
    """A guest's pages, granted to the control domain, reached by the disk there."""
    results, data, path = ran
    output(results, "create")
    assert output(results, "read").split()[0] == sha256(data[:HALF])
    written = output(results, "write").split()[0]
    assert output(results, "again").split("\n")[-1].split()[0] == written
    output(results, "direct")
    with open(path, "rb") as file:
        assert sha256(file.read(HALF)) == sha256(data[:HALF])
        assert sha256(file.read()) == written


def test_guest_dies_in_the_middle(ran):
    results, data, _ = ran
    assert output(results, "destroy").split()[0] == sha256(data[:HALF])


def test_audit(ran):
    """The doorbell of the ITS, which only devices reach, is in the control domain's tables."""
    assert json.loads(output(ran[0], "audit"))["verdict"] == "PASS"


def test_nothing_was_refused(ran):
    assert output(ran[0], "faults") == "0"


def smmu_machine(boot, guest="dma", **parts):
    image = os.path.join(ROOT, "build", "guests", guest + ".bin")
    if not os.path.exists(image):
        pytest.fail(f"no guest image at {image}\ncure: make guests", pytrace=False)
    return boot(wait=False, kernel=image, initrd=None, smp=1, mem=1024, dom0_mem=256, dom0_vcpus=1, reboot=False,
                board_options=",iommu=smmuv3,highmem=off",
                extra=["-global", "arm-smmuv3.stage=2", "-device", "edu,dma_mask=0xffffffffffffffff"], **parts)


def test_hostile_device(boot):
    """Each attempt outside is refused and told: who, where, reading or writing."""
    console = smmu_machine(boot)
    assert console.expect(rb"GUEST (PASS|FAIL)").group(1) == b"PASS", console.tail()
    assert console.expect_end() == 0
    told = console.data.decode(errors="replace")
    assert "PASS stale_address" in told and "PASS unmapped_address" in told
    where = r"\(BH\) d0: stream 0x8 \(/pcie@[0-9a-f]+\) %s %#x: refused by SMMUv3: %s"
    nothing = "nothing is mapped there"
    for what in ("reads", "writes"):
        for at in (0x40201000, 0x4ff00000, 0x08000000, 0x09050000, 0x9000000000):
            assert re.search(where % (what, at, nothing), told), f"{what} {at:#x} was not told"
    assert len(re.findall(r"refused by SMMUv3", told)) < 40, "each word of a transfer is told"


def test_messages(boot):
    """A device's messages reach the ITS, as its own; wrong ones do nothing, and nothing else of the ITS is reached."""
    console = smmu_machine(boot, "doorbell", gic=3)
    assert console.expect(rb"GUEST (PASS|FAIL)").group(1) == b"PASS", console.tail()
    assert console.expect_end() == 0
    told = console.data.decode(errors="replace")
    assert "messages_still" in told
    refused = re.findall(r"\(BH\) d0: stream 0x8 \(/pcie@[0-9a-f]+\) (\w+) (0x[0-9a-f]+): refused by SMMUv3: (.*) \(", told)
    nothing = "nothing is mapped there"
    # One is told again after a second, which without the instruction clock may be one in which the host stood still.
    refused = [one for one, _ in itertools.groupby(refused)]
    assert refused == [("reads", "0x8090000", "it may not do that there"), ("writes", "0x8080000", nothing),
                       ("writes", "0x808f000", nothing), ("writes", "0x8091000", nothing), ("writes", "0x80a0040", nothing)], told


def test_without(boot):
    """The payload finds out when nothing holds its device."""
    console = smmu_machine(boot, hyp_args="iommu=0")
    assert console.expect(rb"GUEST (PASS|FAIL)").group(1) == b"FAIL", console.tail()
