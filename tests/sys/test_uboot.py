# SPDX-License-Identifier: Apache-2.0
"""U-Boot, as Debian packages it, starts a machine with dom0 by the script that bulkhead-image writes: files from a disk, booti."""
import os
import shutil
import struct
import subprocess

import pytest
from conftest import log_path
from console import Console
from run import BUILD, HYPERVISORS, MIB
from test_image import UBOOT, Described, require, run, tool  # noqa: F401  pylint: disable=unused-import
from test_static import text_of

KERNEL = os.path.join(BUILD, "peer", "vmlinuz")
RAMDISK = os.path.join(BUILD, "dom0", "dom0.cpio.gz")
TEXT = f"""
machine = "virt-gicv3"
cpus = 2
memory = 1024
hypervisor = "{HYPERVISORS['bulkhead']}"
options = "console=dtuart"

[dom0]
kernel = "{KERNEL}"
ramdisk = "{RAMDISK}"
extra = "console=hvc0 rdinit=/init"
memory = 384
vcpus = 2
"""
FIRST, SECTOR = 2048, 512       # where the disk's only partition begins


def disk_of(folder, files):
    """A disk with one partition of ext2 with these FILES."""
    content, disk = folder / "content", folder / "disk.img"
    content.mkdir()
    for path in files:
        shutil.copy(path, content)
    size = sum(os.path.getsize(path) for path in files) // MIB + 16
    with open(disk, "wb") as file:
        file.truncate(FIRST * SECTOR + size * MIB)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-E", f"offset={FIRST * SECTOR}", "-d", content, disk, f"{size}M"], check=True)
    with open(disk, "r+b") as file:
        file.seek(446)
        file.write(struct.pack("<B3sB3sII", 0x80, b"", 0x83, b"", FIRST, size * MIB // SECTOR) + bytes(48) + b"\x55\xaa")
    return disk


def test_dom0(tmp_path, hyp):
    """To dom0's shell with the words of the description, its files as listed, and off."""
    if hyp != "bulkhead":
        pytest.skip("bulkhead-image writes for Bulkhead")
    require(UBOOT, RAMDISK)
    (tmp_path / "it.cfg").write_text(TEXT)
    done = run("-o", tmp_path, tmp_path / "it.cfg")
    assert done.returncode == 0 and not done.stderr, done.stderr
    subprocess.run(["mkimage", "-A", "arm64", "-T", "script", "-d", tmp_path / "it.boot.cmd", tmp_path / "boot.scr"], check=True,
                   capture_output=True)
    disk = disk_of(tmp_path, [HYPERVISORS["bulkhead"], KERNEL, RAMDISK, tmp_path / "it.dtb", tmp_path / "boot.scr"])
    # With firmware and ACPI, QEMU puts another device in the place of the GPIO that the tree names.
    words = ("-M", "virt,gic-version=3,virtualization=on,acpi=off", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-display", "none",
             "-nodefaults", "-nic", "none", "-serial", "stdio", "-bios", UBOOT, "-drive", f"if=none,id=disk,format=raw,file={disk}",
             "-device", "virtio-blk-device,drive=disk")      # no instruction clock: U-Boot polls through its countdown
    console = Console(Described("qemu-system-aarch64", *words), log_path("uboot_dom0"))
    try:
        console.expect(rb"Found U-Boot script /boot.scr")
        console.wait_ready()
        console.check("dmesg -n 1")
        assert console.check("nproc") == "2"
        assert console.check("cat /proc/cmdline").endswith("console=hvc0 rdinit=/init")
        assert text_of(console).count(", as listed") == 2
        console.leave()
        console.send("poweroff -f\r")
        assert console.expect_end() == 0
    finally:
        console.close()
