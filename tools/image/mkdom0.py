#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds what the machines boot from Debian's arm64 packages, all under build/dom0:

  dom0.cpio.gz       the small control domain: busybox and the test programs (tools/image/dom0.files)
  dom0-xl.cpio.gz    the control domain with the stock toolstack (tools/image/dom0-xl.files)
  dom0-pci.cpio.gz   the same for giving PCI functions away, with a ramdisk for their guests (tools/image/dom0-pci.files)
  dom0-boards.cpio.gz   that with the toolstack with the drivers of tools/qemu/boards.py's boards (tools/image/dom0-boards.files)
  guests.img         a disk for the second one: kernel, ramdisks (tools/image/domu.files, driver.files) and disks of its guests
  dom0-xl-backports.cpio.gz, domu-backports.cpio.gz
                     control domain and guest of the same lists with the modules of the newer kernel of Debian's backports

What is there already and would come out the same is left alone. The results depend on their inputs alone, so two
builds of the same inputs are the same bytes. Needs tools/setup/fetch_arm64.sh to have run.
"""
import argparse
import os
import random
import shutil
import subprocess

import ramdisk
from ramdisk import BUILD, LISTS, PACKAGES, ROOT, Ramdisk, die

OUT = os.path.join(BUILD, "dom0")
KERNEL = os.path.join(BUILD, "peer", "vmlinuz")
PROGS = os.path.join(ROOT, "tests", "sys", "progs")
MIB = 1 << 20

# Disks of guests: name and size. Their bytes follow from the name, so that tests know what a guest must read.
GUEST_DISKS = {"one": 8 * MIB, "two": 8 * MIB, "three": 8 * MIB, "four": 8 * MIB}
SPARE = 24 * MIB            # at least this much room on the guests' disk for what people and tests put there
# Any fixed ones: the file system must come out the same each time.
UUID = "b0b4ead0-0000-4000-8000-000000000001"
FEATURES = "^has_journal,^metadata_csum,^64bit,^resize_inode"


def build_program(target, sources, *options):
    """Compiles one program, if a source is newer; NAME32 is for 32-bit Arm."""
    folders = {os.path.dirname(source) for source in sources}
    inputs = [*sources, *(entry.path for folder in folders for entry in os.scandir(folder) if entry.name.endswith(".h"))]
    if os.path.exists(target) and all(os.path.getmtime(target) >= os.path.getmtime(path) for path in inputs):
        return
    cross = "arm-linux-gnueabihf-gcc" if target.endswith("32") else "aarch64-linux-gnu-gcc"
    command = [cross, "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-s", "-Wl,--build-id=none", *options,
               "-o", target, *sources]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        die(f"no compiler {cross}", "tools/setup/host.sh")
    except subprocess.CalledProcessError:
        die(f"{os.path.relpath(sources[0], ROOT)} does not compile", "see the compiler's messages above")


def build_programs():
    """Compiles what dom0 needs of ours, and the test programs. Gives the paths of those."""
    out = os.path.join(OUT, "progs")
    os.makedirs(out, exist_ok=True)
    # Debian's libxen-dev has one place for all architectures.
    build_program(os.path.join(out, "netfront-rings"),
                  [os.path.join(LISTS, "driver", name) for name in ("netfront_rings.c", "tx_ring.c")],
                  "-idirafter", "/usr/include")
    built = []
    for name in sorted(os.listdir(PROGS)):
        if name.endswith(".c"):
            built.append(os.path.join(out, name[:-2]))
            build_program(built[-1], [os.path.join(PROGS, name)])
    return built


def report(path, what):
    print(f"mkdom0: {os.path.relpath(path)}: {what}, {os.path.getsize(path) // 1024} KiB")


def make_ramdisk(name, target, add=(), modules="modules"):
    """The ramdisk of the list NAME.files, with the files of ADD, pairs (source, destination)."""
    made = Ramdisk(name + ".files", modules)
    for source, dest in add:
        made.archive.add_host(dest, source)
    made.archive.write(target)
    report(target, f"{len(made.archive.entries)} files")


def fill_guests_folder(folder, ramdisks):
    """What the guests' disk holds, all with the same time of change."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy(KERNEL, os.path.join(folder, "vmlinuz"))
    for path in ramdisks:
        shutil.copy(path, folder)
    for name, size in GUEST_DISKS.items():
        with open(os.path.join(folder, name + ".img"), "wb") as file:
            file.write(random.Random(name).randbytes(size))
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o644)
        os.utime(os.path.join(folder, name), (0, 0))
    os.utime(folder, (0, 0))


def run_e2fs(command, text=None):
    """Runs a tool of e2fsprogs with its clock stopped: times in the file system are inputs like any other."""
    environment = dict(os.environ, E2FSPROGS_FAKE_TIME="1", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    try:
        subprocess.run(command, check=True, env=environment, input=text, text=True, capture_output=True)
    except FileNotFoundError:
        die(f"no {command[0]}", "tools/setup/host.sh")
    except subprocess.CalledProcessError as error:
        die(f"{command[0]} failed", f"see its message: {error.stderr.strip()}")


def make_file_system(folder, target):
    """An ext4 file system in the file TARGET with what the folder holds, and some room: a power of two, as QEMU's SD cards."""
    names = sorted(os.listdir(folder))
    used = sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    with open(target, "wb") as file:
        file.truncate(1 << (used + SPARE - 1).bit_length())
    run_e2fs(["mkfs.ext4", "-q", "-F", "-L", "guests", "-m", "0", "-O", FEATURES, "-U", UUID,
              "-E", f"hash_seed={UUID},lazy_itable_init=0,root_owner=0:0", "-d", folder, target])
    # mkfs copies the host's times of change, which nothing on the host can set.
    run_e2fs(["debugfs", "-w", "-f", "-", target], "".join(f"set_inode_field {name} ctime @1\n" for name in names))


def make_guests_disk(target, ramdisks):
    """The guests' disk, unless it is there and was made of the same."""
    inputs = [KERNEL, *ramdisks, __file__]
    stamp = "".join(f"{os.path.relpath(path, ROOT)} {ramdisk.file_hash(path)}\n" for path in inputs)
    if not ramdisk.same_stamp(target, stamp):
        folder = os.path.join(OUT, "guests")
        fill_guests_folder(folder, ramdisks)
        make_file_system(folder, target + ".new")
        os.rename(target + ".new", target)
        shutil.rmtree(folder)
        ramdisk.write_stamp(target, stamp)
    report(target, "kernel, ramdisks and disks of the guests")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", help="write only the small control domain, to this file")
    parser.add_argument("--add", action="append", default=[], metavar="FILE:DEST", help="one more file for it")
    options = parser.parse_args()
    if not os.path.isdir(PACKAGES):
        die("the control domain's packages are not there", "tools/setup/fetch_arm64.sh")
    add = [(program, "usr/bin/" + os.path.basename(program)) for program in build_programs()]
    add += [tuple(pair.rsplit(":", 1)) for pair in options.add]
    make_ramdisk("dom0", options.output or os.path.join(OUT, "dom0.cpio.gz"), add)
    if options.output:
        return
    for name in ("dom0-xl", "dom0-boards", "domu-pci", "dom0-pci"):
        make_ramdisk(name, os.path.join(OUT, name + ".cpio.gz"))
    ramdisks = [os.path.join(OUT, name + ".cpio.gz") for name in ("domu", "driver")]
    for path in ramdisks:
        make_ramdisk(os.path.basename(path).removesuffix(".cpio.gz"), path)
    make_guests_disk(os.path.join(OUT, "guests.img"), ramdisks)
    for name in ("dom0-xl", "domu"):
        make_ramdisk(name, os.path.join(OUT, name + "-backports.cpio.gz"), modules="modules-backports")


if __name__ == "__main__":
    main()
