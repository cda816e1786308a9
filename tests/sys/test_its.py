# SPDX-License-Identifier: Apache-2.0
"""Messages of PCI devices, on GICv3: the stock kernel drives the ITS it is given.

A machine with two CPUs, one with four, and one with all devices behind an SMMUv3, each with a virtio disk and network card, an
NVMe disk and an e1000e card; all interrupt by MSI-X. Each boots once; the tests run on it in the order they stand here.
"""
import hashlib
import os
import random
import re
import types

import pytest
from conftest import LOGS, Booter

MIB = 1 << 20
DISK_SIZE = 8 * MIB
TFTP_SIZE = 1 * MIB
SILENT = 600                # seconds: on a busy host two disks and two cards at a time take 120
NETS = {"virtio-net": "10.0.2", "e1000e": "10.0.3"}
DEVICES = {"virtio-blk": "00:01.0", "virtio-net": "00:02.0", "nvme": "00:03.0", "e1000e": "00:04.0"}


def known_bytes(seed, size):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def extra_devices(folder):
    """QEMU's arguments for the cards that run.py does not know."""
    nvme = folder / "nvme.img"
    nvme.write_bytes(known_bytes("nvme", DISK_SIZE))
    return ["-drive", f"if=none,id=nvm,format=raw,cache=unsafe,file={nvme}", "-device", "nvme,drive=nvm,serial=nvm,addr=3",
            "-netdev", f"user,id=net1,net=10.0.3.0/24,restrict=on,tftp={folder}/tftp", "-device", "e1000e,netdev=net1,addr=4,romfile="]


def behind_smmu():
    """QEMU's arguments that put every card behind its SMMU, virtio's too."""
    options = ["arm-smmuv3.stage=2"]
    for kind in ("virtio-blk", "virtio-net"):
        options += [f"{kind}-device.iommu_platform=on", f"{kind}-pci.disable-legacy=on"]
    return [word for option in options for word in ("-global", option)]


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(f"its-{name}"))
                                        for name in ("2cpus", "4cpus", "smmu")])
def running(request, tmp_path_factory):
    """The running machine: .console, .smp, .folder, .smmu"""
    smmu = request.param == "smmu"
    smp = 4 if request.param == "4cpus" else 2
    folder = tmp_path_factory.mktemp(f"its-{request.param}")
    (folder / "disk.img").write_bytes(known_bytes("virtio", DISK_SIZE))
    (folder / "tftp").mkdir()
    (folder / "tftp" / "file").write_bytes(known_bytes("tftp", TFTP_SIZE))
    os.makedirs(LOGS, exist_ok=True)
    booter = Booter(request.config.getoption("--hyp"), f"test_its-{request.param}")
    machine = types.SimpleNamespace(smp=smp, folder=folder, smmu=smmu)
    machine.console = booter(wait=False, gic=3, smp=smp, mem=1024, dom0_mem=512, net="pci", tftp=str(folder / "tftp"),
                             disks=[(str(folder / "disk.img"), "pci")], board_options=",iommu=smmuv3" if smmu else "",
                             extra=extra_devices(folder) + (behind_smmu() if smmu else []))
    yield machine
    booter.close()


@pytest.fixture(name="dom0")
def fixture_dom0(running):
    """Runs a shell command in the control domain and returns what it prints; the machine is .machine."""
    if running.console.broken:
        pytest.fail("the machine is dead since an earlier test: " + running.console.broken, pytrace=False)

    def check(command):
        return running.console.check(command, idle=SILENT)
    check.machine = running
    return check


def messages(dom0):
    """{name of a line of /proc/interrupts that the ITS raises: counts by CPU}"""
    lines = {}
    for line in dom0("grep ITS-MSI /proc/interrupts").split("\n"):
        words = line.split()
        lines[words[-1]] = [int(word) for word in words[1:1 + dom0.machine.smp]]
    return lines


def total(dom0, pattern):
    return sum(sum(counts) for name, counts in messages(dom0).items() if re.search(pattern, name))


def disk(dom0, driver):
    if driver == "nvme":
        return "/dev/nvme0n1"
    return "/dev/" + dom0("ls /sys/bus/pci/devices/0000:00:01.0/virtio*/block")


def test_boot(dom0):
    dom0.machine.console.wait_ready()
    dom0("dmesg -n 1")
    dom0("modprobe nvme && modprobe e1000e")
    dom0("until [ -b /dev/nvme0n1 ]; do sleep 0.2; done")
    dom0("ip link set dev $(ls /sys/bus/pci/devices/0000:00:04.0/net) up")
    names = " ".join(messages(dom0))
    for wanted in ("virtio1-input", "virtio0-req", "nvme0q0", "nvme0q1"):
        assert wanted in names, names
    for device in DEVICES.values():
        assert dom0(f"ls /sys/bus/pci/devices/0000:{device}/msi_irqs | wc -l") != "0", device


@pytest.mark.parametrize("driver, pattern", [("virtio-blk", "virtio0-req"), ("nvme", r"nvme0q[1-9]")])
def test_disk(dom0, driver, pattern):
    device = disk(dom0, driver)
    before = total(dom0, pattern)
    assert dom0(f"sha256sum {device} | cut -d' ' -f1") == sha256(known_bytes(driver.split("-", maxsplit=1)[0], DISK_SIZE))
    dom0("dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>&1")
    dom0(f"dd if=/tmp/data of={device} bs=64k seek=32 conv=fsync 2>&1 && echo 3 >/proc/sys/vm/drop_caches")
    assert dom0(f"dd if={device} bs=1M skip=2 count=4 2>/dev/null | cmp - /tmp/data && echo same") == "same"
    assert total(dom0, pattern) - before > 10


def card(dom0, driver):
    return dom0(f"ls -d /sys/bus/pci/devices/0000:{DEVICES[driver]}/net/* /sys/bus/pci/devices/0000:{DEVICES[driver]}/virtio*/net/*"
                " 2>/dev/null; true").strip().rsplit("/", maxsplit=1)[-1]


@pytest.mark.parametrize("driver", ["virtio-net", "e1000e"])
def test_network(dom0, driver):
    name = card(dom0, driver)
    lines = "virtio1-(in|out)put" if driver == "virtio-net" else f"^{name}"
    before = total(dom0, lines)
    dom0(f"ip link set dev {name} up && ip addr add {NETS[driver]}.15/24 dev {name}")
    dom0(f"cd /tmp && for i in 1 2 3; do tftp -g -b 1024 -r file {NETS[driver]}.2 && break; sleep 1; done; [ -s file ]")
    assert dom0("sha256sum /tmp/file | cut -d' ' -f1; rm /tmp/file") == sha256(known_bytes("tftp", TFTP_SIZE))
    dom0(f"ip addr del {NETS[driver]}.15/24 dev {name}")
    assert total(dom0, lines) - before > 100


def test_under_load(dom0):
    """Both disks and both cards at a time, 3 times; not a byte is wrong."""
    for driver, net in NETS.items():
        dom0(f"ip link set dev {card(dom0, driver)} up && ip addr add {net}.15/24 dev {card(dom0, driver)}")
    dom0("dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>&1")
    jobs = [f"dd if=/tmp/data of={at} bs=64k seek=64 conv=fsync; dd if={at} bs=64k skip=64 count=64 iflag=direct | cmp - /tmp/data"
            for at in (disk(dom0, "virtio-blk"), disk(dom0, "nvme"))]
    jobs += [f"tftp -g -b 1024 -r file -l /tmp/{net} {net}.2 && sha256sum /tmp/{net} | cut -d' ' -f1" for net in NETS.values()]
    before = total(dom0, "")
    loops = [f"for n in 1 2 3; do {{ {job}; }} 2>/dev/null || echo bad {at}; done &" for at, job in enumerate(jobs)]
    said = dom0(" ".join(loops) + " wait")
    assert said.split() == 6 * [sha256(known_bytes("tftp", TFTP_SIZE))]
    assert total(dom0, "") - before > 1000
    for driver, net in NETS.items():
        dom0(f"ip addr del {net}.15/24 dev {card(dom0, driver)}")


def test_moves(dom0):
    """The network card's line goes to each CPU in turn, 10 times: it comes there."""
    irq = dom0("grep virtio1-input.0 /proc/interrupts | cut -d: -f1").strip()
    name = dom0("ls /sys/bus/pci/devices/0000:00:02.0/virtio1/net")
    dom0(f"ip addr add 10.0.2.15/24 dev {name}")
    for turn in range(10):
        cpu = turn % dom0.machine.smp
        dom0(f"echo {1 << cpu:x} >/proc/irq/{irq}/smp_affinity")
        before = messages(dom0)["virtio1-input.0"]
        # One after the other: on a busy machine answers that are under way together have one interrupt.
        dom0("for n in 1 2 3 4 5; do ping -c 1 -W 100 10.0.2.2 >/dev/null || break; done")
        after = messages(dom0)["virtio1-input.0"]
        assert after[cpu] - before[cpu] >= 3, (turn, before, after)
    dom0(f"ip addr del 10.0.2.15/24 dev {name}")


def test_unbind(dom0):
    """Drivers let go of their devices and take them again, 50 times (a few, on four CPUs); then data."""
    script = (f"for i in $(seq {50 if dom0.machine.smp == 2 else 5}); "
              "do echo turn $i; for d in 1:virtio-pci 3:nvme 4:e1000e; do p=/sys/bus/pci/drivers/${d#*:}; "
              "echo 0000:00:0${d%:*}.0 >$p/unbind && echo 0000:00:0${d%:*}.0 >$p/bind || exit 1; done; done; echo done")
    assert dom0(script).split("\n")[-1] == "done"
    dom0("until [ -b /dev/nvme0n1 ]; do sleep 0.2; done")
    for driver in ("virtio-blk", "nvme"):
        before = total(dom0, "virtio0-req|nvme0q[1-9]")
        dom0(f"dd if={disk(dom0, driver)} of=/dev/null bs=64k count=64 iflag=direct 2>&1")
        assert total(dom0, "virtio0-req|nvme0q[1-9]") - before > 10, driver


def test_cpu_off(dom0):
    """A CPU goes and its lines with it to others; the disks go on."""
    last = dom0.machine.smp - 1
    dom0(f"echo 0 >/sys/devices/system/cpu/cpu{last}/online")
    dom0(f"dd if={disk(dom0, 'nvme')} of=/dev/null bs=64k count=64 iflag=direct 2>&1")
    dom0(f"echo 1 >/sys/devices/system/cpu/cpu{last}/online")
    dom0(f"dd if={disk(dom0, 'nvme')} of=/dev/null bs=64k count=64 iflag=direct 2>&1")


def test_kernel_log(dom0):
    """Not a word about interrupts, in the kernel's log or from the hypervisor."""
    log = dom0("dmesg -r | grep '^<[0-4]>' | grep -i '\\bits\\b\\|lpi\\|nobody cared\\|timeout\\|spurious\\|nvme\\|e1000e'; true")
    wanted = [line for line in log.split("\n") if line and "Failed to add - passthrough" not in line]
    assert not wanted, log
