# SPDX-License-Identifier: Apache-2.0
"""The Debian package: made, installed by dpkg on a Debian disk, started by its GRUB from UEFI, removed again."""
import glob
import os

import pytest
from conftest import log_path
from console import Console
from debian_disk import DebianDisk, make_disk
from efi import run
from ramdisk import BUILD, ROOT

ENTRIES = "grep -c 'xen_hypervisor /boot/bulkhead.efi' /boot/grub/grub.cfg"

pytestmark = pytest.mark.xdist_group("deb")


@pytest.fixture(name="disk", scope="module")
def a_disk(tmp_path_factory):
    """A disk with Debian and the package's file in /root."""
    run("make", "-s", "deb", cwd=ROOT)
    found = glob.glob(os.path.join(BUILD, "deb", "*.deb"))
    assert len(found) == 1
    path = str(tmp_path_factory.mktemp("deb") / "disk.img")
    make_disk(path, found)
    return path


class Running:
    """The disk's machine, at its shell with the file system writable."""

    def __init__(self, disk, name, efi=True):
        self.console = Console(DebianDisk(disk, efi), log_path("deb_" + name))

    def __enter__(self):
        self.console.__enter__()
        self.console.wait_ready()
        self.console.check("busybox dmesg -n 1")
        self.console.check("mount -o remount,rw /")
        return self.console

    def __exit__(self, kind, *rest):
        if kind is None:
            self.console.check("cd /; sync; mount -o remount,ro /")
            self.console.leave()
            self.console.send("busybox poweroff -f\n")
            assert self.console.expect_end() == 0
        self.console.__exit__(kind, *rest)


def test_install_boot_remove(disk):
    """A default of GRUB's that starts Bulkhead with the stock kernel; after removal the kernel starts as before."""
    with Running(disk, "install", efi=False) as console:
        console.check("mount -t vfat /dev/vda1 /boot/efi")
        console.check("grub-install --target=arm64-efi --efi-directory=/boot/efi --removable --no-nvram", idle=120)
        console.check("umount /boot/efi")
        console.check("update-grub", idle=120)
        assert console.sh(ENTRIES)[1] == "0"
        console.check("echo GRUB_DEFAULT=bulkhead >/etc/default/grub.d/zz.cfg")
        output = console.check("dpkg -i /root/bulkhead-hypervisor_*.deb", idle=120)
        assert "Found kernel for Bulkhead: /boot/vmlinuz-" in output
        assert console.check(ENTRIES) == "1"
    with Running(disk, "boot") as console:
        assert console.check("cat /sys/hypervisor/type") == "xen"
        assert 900_000 < int(console.check("awk '/MemTotal/ { print $2 }' /proc/meminfo")) < 1_048_576
        output = console.check("dpkg -r bulkhead-hypervisor", idle=120)
        assert "Found linux image: /boot/vmlinuz-" in output
        assert console.sh(ENTRIES)[1] == "0"
        assert console.sh("ls /boot/bulkhead.efi")[0] != 0
        assert console.check("ls /etc/grub.d/21_bulkhead") == "/etc/grub.d/21_bulkhead"
    with Running(disk, "removed") as console:
        assert console.sh("cat /sys/hypervisor/type")[0] != 0
        console.check("dpkg --purge bulkhead-hypervisor", idle=120)
        assert console.sh("ls /etc/grub.d/21_bulkhead /etc/default/grub.d/bulkhead.cfg")[0] != 0
