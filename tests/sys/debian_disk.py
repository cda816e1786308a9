# SPDX-License-Identifier: Apache-2.0
"""A disk with Debian for arm64 on it, from packages: an empty EFI system partition, and a root file system with the
stock kernel, GRUB and dpkg, in which no package's scripts have run yet. And the machine that boots it."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "image"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "qemu"))

import ramdisk  # noqa: E402  pylint: disable=wrong-import-position
from efi import FIRMWARE, MIB, run  # noqa: E402  pylint: disable=wrong-import-position
from run import Machine, SetupError  # noqa: E402  pylint: disable=wrong-import-position

ESP_MIB, ROOT_MIB = 40, 400
ROOT_UUID = "b0b4ead0-0000-4000-8000-0000000000d1"
# What nobody reads here.
LEFT_OUT = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/perl", "usr/lib/python3.11", "usr/lib/python3")
# What packages' scripts would have made.
LINKS = {"bin/sh": "dash", "usr/bin/awk": "mawk", "sbin/init": "../usr/local/sbin/init"}


class DebianDisk(Machine):
    """A machine of firmware and one disk. EFI: its firmware starts what the disk has; else its kernel by -kernel."""

    def __init__(self, disk, efi=True):
        initrd = os.path.join(ramdisk.BUILD, "dom0", "debian.cpio.gz")
        super().__init__(native=not efi, mem=2048, smp=2, disks=[(disk, "pci")], initrd=initrd, reboot=False,
                         dom0_args="" if efi else f"root=UUID={ROOT_UUID}", board_options=",acpi=off")
        self.efi = efi

    def _images(self):
        if not self.efi:
            return super()._images()
        if not os.path.exists(FIRMWARE):
            raise SetupError("no UEFI firmware for arm64", "tools/setup/host.sh")
        return ["-bios", FIRMWARE]


def make_root(folder, packages):
    """The root file system in FOLDER, with the files PACKAGES in /root."""
    def left_out(where, names):
        inside = os.path.relpath(where, ramdisk.PACKAGES)
        return [name for name in names if os.path.normpath(os.path.join(inside, name)) in LEFT_OUT]
    shutil.copytree(ramdisk.PACKAGES, folder, symlinks=True, ignore=left_out, copy_function=shutil.copy)
    files = ramdisk.Ramdisk("debian.files")
    initrd = os.path.join(ramdisk.BUILD, "dom0", "debian.cpio.gz")
    files.archive.write(initrd)
    version = files.modules.version
    shutil.copy(os.path.join(ramdisk.PEER, "vmlinuz"), os.path.join(folder, "boot", "vmlinuz-" + version))
    shutil.copy(initrd, os.path.join(folder, "boot", "initrd.img-" + version))
    own = os.path.join(ramdisk.LISTS, "debian", "init")
    for source, dest in ((own, "usr/local/sbin/init"), (os.path.join(ramdisk.LISTS, "dom0", "profile"), "etc/profile"),
                         (os.path.join(ramdisk.LISTS, "dom0", "serve"), "bin/serve"), *((p, "root") for p in packages)):
        os.makedirs(os.path.dirname(os.path.join(folder, dest)), exist_ok=True)
        shutil.copy(source, os.path.join(folder, dest))
    for path, target in LINKS.items():
        if not os.path.lexists(os.path.join(folder, path)):
            os.symlink(target, os.path.join(folder, path))
    for path in ("proc", "sys", "dev", "run", "tmp", "boot/efi", "boot/grub", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
        os.makedirs(os.path.join(folder, path), exist_ok=True)
    texts = {"var/lib/dpkg/status": "", "etc/fstab": f"UUID={ROOT_UUID} / ext4 defaults 0 1\n",
             "etc/default/grub": "GRUB_TIMEOUT=1\nGRUB_TERMINAL=serial\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=\n"}
    for path, text in texts.items():
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text)


def make_disk(path, packages):
    """A disk at PATH; the files PACKAGES lie in its /root."""
    folder, part = path + ".root", path + ".part"
    shutil.rmtree(folder, ignore_errors=True)
    make_root(folder, packages)
    with open(path, "wb") as file:
        file.truncate((ESP_MIB + ROOT_MIB + 2) * MIB)
    table = f"label: gpt\nstart=1MiB, size={ESP_MIB}MiB, type=uefi\nsize={ROOT_MIB}MiB, type=linux\n"
    run("/sbin/sfdisk", "-q", path, input=table.encode())
    for start, size, command in ((1, ESP_MIB, ["/sbin/mkfs.vfat", "-F", "32", part]),
                                 (1 + ESP_MIB, ROOT_MIB, ["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-U", ROOT_UUID, "-E",
                                                          "root_owner=0:0", "-d", folder, part])):
        with open(part, "wb") as file:
            file.truncate(size * MIB)
        run(*command)
        run("dd", f"if={part}", f"of={path}", "bs=1M", f"seek={start}", "conv=notrunc,sparse")
    os.unlink(part)
    shutil.rmtree(folder)
