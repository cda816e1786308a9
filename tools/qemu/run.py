#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
r"""Starts a hypervisor with its control domain on an emulated arm64 machine.

The one place that knows QEMU command lines: people run it, tests import class Machine from it.
Leave an interactive run with `poweroff` in the control domain, or with Ctrl-\ x. (Ctrl-a and Ctrl-] are not QEMU's here: three
times Ctrl-a moves the keyboard between the hypervisor and the control domain.)
"""
import argparse
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import domains as boot_domains  # noqa: E402  pylint: disable=wrong-import-position
import efi                      # noqa: E402  pylint: disable=wrong-import-position
from boards import BOARDS  # noqa: E402  pylint: disable=wrong-import-position

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
MIB = 1 << 20

RAM_BASE = 0x40000000          # of QEMU's "virt" machine
DTB_OFFSET = 128 * MIB         # where QEMU puts the machine's device tree, above RAM_BASE, with 256 MiB or more
MODULES_OFFSET = 256 * MIB     # ours: kernel, then ramdisk. Real Xen finds most memory for its control domain so: with
                               # them lower, a machine of 512 MiB gives it 128 MiB
ALIGNMENT = 2 * MIB

GRUB_DIR = os.path.join(BUILD, "peer", "dom0-root", "usr", "lib", "grub", "arm64-efi")
NEWER_QEMU = os.path.join(BUILD, "peer", "qemu-new", "qemu-system-aarch64")
# A flush of the guest waits for nobody: how long the host takes for one is time that the guest would see pass.
UNSAFE = ",cache=unsafe"
GUESTS_DISK = os.path.join(BUILD, "dom0", "guests.img")

HYPERVISORS = {
    "bulkhead": os.path.join(BUILD, "arm64", "bulkhead"),
    "bulkhead-debug": os.path.join(BUILD, "arm64-debug", "bulkhead"),
    "xen": os.path.join(BUILD, "peer", "xen"),
}
CURES = {
    "bulkhead": "make",
    "bulkhead-debug": "make DEBUG=1",
    "xen": "tools/setup/fetch_arm64.sh",
    "kernel": "tools/setup/fetch_arm64.sh",
    "initrd": "tools/image/mkdom0.py",
    "qemu": "tools/setup/host.sh",
    "efi": "tools/setup/host.sh && tools/setup/fetch_arm64.sh",
    "newer qemu": "tools/setup/fetch_qemu.sh",
}


class SetupError(Exception):
    """Something is missing or does not fit; the text names the cause and the cure."""

    def __init__(self, cause, cure):
        super().__init__(f"{cause}\ncure: {cure}")


def hypervisor_path(name):
    """Path of the hypervisor called NAME ("xen", "bulkhead" or a file)."""
    path = HYPERVISORS.get(name, name)
    if not os.path.exists(path):
        raise SetupError(f"no hypervisor image at {path}", CURES.get(name, "name an arm64 Image, 'xen' or 'bulkhead'"))
    return path


def image_size(path):
    """Memory that an arm64 Image takes, its zero-filled end included: from its head, else the file's size."""
    with open(path, "rb") as file:
        head = file.read(64)
    size = os.path.getsize(path)
    if len(head) == 64 and head[56:60] == b"ARMd":
        size = max(size, struct.unpack_from("<Q", head, 16)[0])
    return size


def round_up(value, unit=ALIGNMENT):
    return (value + unit - 1) // unit * unit


def qemu_quote(text):
    """A comma ends a value on QEMU's command line unless it is doubled."""
    return text.replace(",", ",,")


def qemu_version(program):
    """[10, 0, 2] of a QEMU."""
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return [int(part) for part in re.search(r"version ([\d.]+\d)", said).group(1).split(".")]


class Machine:
    """An emulated machine: its parts as attributes, its QEMU command line from command()."""

    # pylint: disable=too-many-instance-attributes
    def __init__(self, hyp="bulkhead", **parts):
        self.hyp = hyp
        self.board = None             # a name of BOARDS with its own interrupt controller and CPUs; None: "virt"
        self.gic = 3
        self.cpu = "cortex-a53"
        self.smp = 2
        self.mem = 2048               # MiB
        self.hyp_args = ""            # added to default_hyp_args()
        self.dom0_mem = None          # MiB; None: default_dom0_mem()
        self.dom0_vcpus = None        # None: the hypervisor's own default
        self.dom0_args = ""           # added to the control domain's kernel command line
        self.kernel = os.path.join(BUILD, "peer", "vmlinuz")
        self.xl = False               # the control domain with the stock toolstack, and its disk with guests
        self.initrd = None            # a file, None for no ramdisk; not given: default_initrd()
        self.icount = False           # one instruction = 1 ns of virtual time, deterministic
        self.icount_shift = 0         # ... or 2 to that power
        self.disks = []               # (file, "pci" or "mmio"; on a board "sd": its card slot)
        self.script = None            # a file of shell commands: the xl control domain runs it and powers off
        self.net = None               # None, "pci" or "mmio"; on a board any: its own card
        self.tftp = None              # directory that the user-mode network serves by TFTP
        self.gdb = False              # wait for gdb on port 1234 of the loopback interface
        self.dtb = None               # a device tree of one's own; it must name the modules itself
        self.chosen = ""              # device tree source for /chosen, beside domains
        self.domains = []             # Domain objects that the hypervisor starts at boot; kernel=None: without dom0
        self.tree = ""                # ... and for the root
        self.trace = None             # log of exceptions and guest errors
        self.reboot = True            # a guest's reset restarts the machine; False: QEMU ends
        self.native = False           # no hypervisor: the kernel runs on the machine itself
        self.loader = None            # "grub" or "efi": UEFI firmware starts it, from a disk that is made for it
        self.disk_path = None         # ... here; None: build/esp
        self.disk_files = {}          # ... with these beside or in place of the usual files, as efi.make_disk() takes them
        self.board_options = ""       # more words after -M virt
        self.extra = []               # more QEMU arguments
        for name, value in parts.items():
            if not hasattr(self, name):
                raise TypeError(f"a Machine has no '{name}'")
            setattr(self, name, value)
        if "initrd" not in parts:
            self.initrd = self.default_initrd()

    # ---- placement

    def ram_base(self):
        return BOARDS[self.board].ram if self.board else RAM_BASE

    def ram_end(self):
        return self.ram_base() + self.mem * MIB

    def placement(self):
        """(kernel address, ramdisk address): 2 MiB aligned, apart, above hypervisor and device tree."""
        kernel_at = self.ram_base() + MODULES_OFFSET
        initrd_at = round_up(kernel_at + image_size(self.kernel)) if self.kernel else kernel_at
        end = initrd_at + (os.path.getsize(self.initrd) if self.initrd else 0)
        if end > self.ram_end():
            raise SetupError(f"kernel and ramdisk end at {end:#x}, memory at {self.ram_end():#x}", "give --mem more MiB")
        hyp_end = self.ram_base() + 2 * MIB + image_size(hypervisor_path(self.hyp))
        if not self.native and hyp_end > self.ram_base() + DTB_OFFSET:
            raise SetupError(f"the hypervisor's image ends at {hyp_end:#x}, inside QEMU's device tree", "make it smaller")
        return kernel_at, initrd_at

    def default_dom0_mem(self):
        """A share that leaves room for the hypervisor and for guests: half, at most 1 GiB."""
        return self.dom0_mem or min(self.mem // 2, 1024)

    def default_initrd(self):
        if self.board:
            return os.path.join(BUILD, "dom0", "dom0-boards.cpio.gz")
        return os.path.join(BUILD, "dom0", "dom0-xl.cpio.gz" if self.xl else "dom0.cpio.gz")

    # ---- command lines

    def hypervisor_args(self):
        words = [f"dom0_mem={self.default_dom0_mem()}M", "console=dtuart", "bootscrub=0"]
        if self.board:
            words.append(BOARDS[self.board].args)
        if self.dom0_vcpus is not None:
            words.append(f"dom0_max_vcpus={self.dom0_vcpus}")
        return " ".join(words + self.hyp_args.split())

    def kernel_args(self):
        console = "hvc0"
        if self.native:
            console = BOARDS[self.board].tty if self.board else "ttyAMA0"
        return " ".join([f"console={console}", "rdinit=/init"] + self.dom0_args.split())

    def _virt(self):
        if self.gic not in (2, 3):
            raise SetupError(f"no GICv{self.gic} here", "--gic 2 or --gic 3")
        if self.gic == 2 and self.smp > 8:
            raise SetupError("a GICv2 serves at most 8 CPUs", "--smp 8, or --gic 3")
        board = f"virt,gic-version={self.gic}" + ("" if self.native else ",virtualization=on")
        # With ACPI tables the firmware hands out no device tree.
        return ["-M", board + (",acpi=off" if self.loader else "") + self.board_options, "-cpu", self.cpu]

    def _board(self):
        if self.board and self.board not in BOARDS:
            raise SetupError(f"no board '{self.board}' here", "one of " + ", ".join(BOARDS))
        args = ["-M", BOARDS[self.board].machine, *BOARDS[self.board].extra] if self.board else self._virt()
        if self.board and BOARDS[self.board].rom:
            args += ["-L", self._empty_rom(BOARDS[self.board].rom)]
        args += ["-smp", str(self.smp), "-m", str(self.mem)]
        # The clock chip counts virtual time, as the CPUs' timers do: the two can be compared on a busy host.
        args += ["-rtc", "base=2024-01-01T00:00:00,clock=vm"]
        if self.icount:
            # The seed: device trees hold random bytes, from which kernels take their own.
            args += ["-icount", f"shift={self.icount_shift},sleep=off", "-seed", "1"]
        elif self.smp > 1:
            args += ["-accel", "tcg,thread=multi"]
        return args

    @staticmethod
    def _empty_rom(name):
        """A folder with that file, for QEMU to look into besides its own."""
        folder = os.path.join(BUILD, "roms")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        new = f"{path}.{os.getpid()}"       # another machine may be reading the one that is there
        with open(new, "wb") as file:
            file.write(bytes(512))
        os.replace(new, path)
        return folder

    def _board_tree(self):
        """The text of the board's device tree."""
        tree = os.path.join(BUILD, "peer", "dtbs", BOARDS[self.board].tree)
        if tree.endswith(".dts"):
            with open(tree, encoding="utf-8") as file:
                return file.read()
        text = boot_domains.source_of(tree)
        return text + f"/ {{ {BOARDS[self.board].lacks} }};\n"

    def _domains_tree(self, kernel_at, initrd_at):
        """(device tree, QEMU arguments that load the images of the domains it names)."""
        end = round_up(initrd_at + (os.path.getsize(self.initrd) if self.initrd else 0))
        places = boot_domains.place_images(self.domains, end, round_up)
        chosen = f'xen,xen-bootargs = "{self.hypervisor_args()}"; {self.chosen} '
        if self.kernel:
            chosen += boot_domains.module("kernel", (kernel_at, os.path.getsize(self.kernel)), self.kernel_args())
            if self.initrd:
                chosen += boot_domains.module("ramdisk", (initrd_at, os.path.getsize(self.initrd)))
        chosen += " ".join(domain.source(places) for domain in self.domains)
        if self.board:
            base = self._board_tree()
        else:
            base = boot_domains.qemu_tree(self._board()[:8], os.path.join(BUILD, "trees"))
        dtb = boot_domains.make_tree(base, os.path.join(BUILD, "trees"), chosen, self.tree)
        args = []
        for path, (start, _) in places.items():
            args += ["-device", f"loader,file={qemu_quote(path)},addr={start:#x},force-raw=on"]
        return dtb, args

    def _efi_disk(self):
        if self.board or self.native or self.dtb or self.domains or self.chosen:
            raise SetupError(f"--{self.loader} starts dom0 on QEMU's own board only", "drop --board, --native or --dtb")
        for path in (efi.FIRMWARE, GRUB_DIR):
            if not os.path.exists(path):
                raise SetupError(f"nothing at {path}", CURES["efi"])
        words = self.hypervisor_args(), self.kernel_args(), bool(self.initrd)
        files = {"vmlinuz": self.kernel}
        if self.initrd:
            files["initrd.gz"] = self.initrd
        if self.loader == "grub":
            grub = os.path.join(BUILD, "esp", f"grub.{os.getpid()}.efi")
            os.makedirs(os.path.dirname(grub), exist_ok=True)
            efi.grub_image(GRUB_DIR, grub)
            with open(grub, "rb") as file:
                files[efi.BOOT_FILE] = file.read()
            os.unlink(grub)
            files["grub/grub.cfg"] = efi.grub_cfg(*words).encode()
            files["bulkhead"] = hypervisor_path(self.hyp)
        else:
            files[efi.BOOT_FILE] = hypervisor_path(self.hyp)
            files["EFI/BOOT/xen.cfg"] = efi.xen_cfg(*words).encode()
        path = self.disk_path or os.path.join(BUILD, "esp", f"{self.loader}.img")
        efi.make_disk(path, {name: what for name, what in {**files, **self.disk_files}.items() if what is not None})
        return ["-bios", efi.FIRMWARE, "-drive", f"if=none,id=esp,format=raw,snapshot=on,file={qemu_quote(path)}",
                "-device", "virtio-blk-device,drive=esp,serial=esp"]

    def _images(self):
        if self.loader:
            return self._efi_disk()
        if self.native:
            args = ["-kernel", self.kernel, "-append", self.kernel_args()]
            if self.board:
                args += ["-dtb", boot_domains.compile_tree(self._board_tree(), os.path.join(BUILD, "trees"))]
            return args + (["-initrd", self.initrd] if self.initrd else [])
        kernel_at, initrd_at = self.placement()
        args = ["-kernel", hypervisor_path(self.hyp), "-append", self.hypervisor_args()]
        dtb, domain_args = self.dtb, []
        if self.domains or self.board or self.chosen or self.tree:
            dtb, domain_args = self._domains_tree(kernel_at, initrd_at)
        if dtb:
            args += ["-dtb", dtb] + domain_args
            if self.kernel:
                args += ["-device", f"loader,file={qemu_quote(self.kernel)},addr={kernel_at:#x},force-raw=on"]
            if self.initrd:
                args += ["-device", f"loader,file={qemu_quote(self.initrd)},addr={initrd_at:#x},force-raw=on"]
            return args
        # guest-loader also tells the hypervisor, by module nodes under /chosen.
        args += ["-device", f"guest-loader,addr={kernel_at:#x},kernel={qemu_quote(self.kernel)},"
                            f"bootargs={qemu_quote(self.kernel_args())}"]
        if self.initrd:
            args += ["-device", f"guest-loader,addr={initrd_at:#x},initrd={qemu_quote(self.initrd)}"]
        return args

    def _board_devices(self):
        """The board's own card slot and network card."""
        board = BOARDS[self.board]
        # What is written to the guests' disk goes to a scratch file, as on the virt machine.
        cards = [(path, UNSAFE) for path, bus in self.disks if bus == "sd"] or [(GUESTS_DISK, ",snapshot=on")]
        args = ["-drive", f"{board.card},format=raw,file={qemu_quote(cards[0][0])}{cards[0][1]}"]
        if self.net and board.nics:
            # All cards of the machine on one network: the kernel drives the one that the tree names.
            tftp = f",tftp={qemu_quote(self.tftp)}" if self.tftp else ""
            return args + ["-net", "nic"] * board.nics + ["-net", f"user,restrict=on{tftp}"]
        return args + ["-nic", "none"]

    def _devices(self):
        if self.board:
            return self._board_devices()
        args = []
        suffix = {"pci": "pci", "mmio": "device"}
        if self.xl:
            # What is written goes to a scratch file of QEMU's: every run begins with the same disk. With the instruction
            # clock dom0 copies it to its memory (dom0/rc-xen): how long the host's disk takes is then nothing of the run's.
            args += ["-drive", f"if=none,id=guests,format=raw,snapshot=on,file={qemu_quote(GUESTS_DISK)}",
                     "-device", f"virtio-blk-device,drive=guests,serial={'guests-copy' if self.icount else 'guests'}"]
        if self.script:
            args += ["-drive", f"if=none,id=script,format=raw,readonly=on,file={qemu_quote(self.script)}",
                     "-device", "virtio-blk-device,drive=script,serial=script"]
        for number, (path, bus) in enumerate(self.disks):
            args += ["-drive", f"if=none,id=disk{number},format=raw,file={qemu_quote(path)}{UNSAFE}",
                     "-device", f"virtio-blk-{suffix[bus]},drive=disk{number},serial={bus}{number}"]
        if self.net:
            tftp = f",tftp={qemu_quote(self.tftp)}" if self.tftp else ""
            # restrict: the guest reaches nothing but QEMU's own little servers.
            args += ["-netdev", f"user,id=net0,restrict=on{tftp}", "-device",
                     f"virtio-net-{suffix[self.net]},netdev=net0" + (",romfile=" if self.net == "pci" else "")]
        else:
            args += ["-nic", "none"]
        return args

    def _qemu(self):
        """The program that plays this machine."""
        own, wanted = shutil.which("qemu-system-aarch64"), BOARDS[self.board].qemu if self.board else ""
        if wanted and os.path.exists(NEWER_QEMU):
            return NEWER_QEMU
        if own is None:
            raise SetupError("there is no qemu-system-aarch64", CURES["qemu"])
        if wanted and qemu_version(own) < [int(part) for part in wanted.split(".")]:
            raise SetupError(f"{self.board} needs QEMU {wanted} or later", CURES["newer qemu"])
        return own

    def command(self, interactive=False):
        """The whole QEMU command line. Not interactive: console on standard input and output, nothing else there."""
        qemu = self._qemu()
        for part in ("kernel", "initrd"):
            path = getattr(self, part)
            if path and not os.path.exists(path):
                raise SetupError(f"no {part} at {path}", CURES[part])
        args = [qemu, "-display", "none", "-no-user-config", "-nodefaults"]
        args += ["-serial", "null"] * (BOARDS[self.board].console if self.board else 0)
        if interactive:
            args += ["-serial", "mon:stdio", "-echr", "0x1c"]
        else:
            args += ["-monitor", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        args += self._board() + self._images() + self._devices()
        if not self.reboot:
            args.append("-no-reboot")
        if self.gdb:
            args += ["-S", "-gdb", "tcp:127.0.0.1:1234"]
        if self.trace:
            args += ["-d", "int,guest_errors,unimp", "-D", self.trace]
        return args + list(self.extra)


def add_machine_options(parser):
    """The options that every tool which boots a machine offers."""
    add = parser.add_argument
    add("--hyp", default=os.environ.get("BULKHEAD_HYP", "bulkhead"), help="bulkhead, xen (the peer) or an Image file")
    add("--board", choices=sorted(BOARDS), help="a board with its own device tree, in place of QEMU's virt machine")
    add("--gic", type=int, choices=(2, 3), default=3, help="version of the interrupt controller")
    add("--cpu", default="cortex-a53", help="cortex-a53, cortex-a57, cortex-a72, max ...")
    add("--smp", type=int, default=2, metavar="N", help="number of CPUs")
    add("--mem", type=int, default=2048, metavar="MIB", help="memory of the machine")
    add("--dom0-mem", type=int, metavar="MIB", help="memory of the control domain")
    add("--dom0-vcpus", type=int, metavar="N", help="CPUs of the control domain")
    add("--hyp-args", default="", metavar="STR", help="more words for the hypervisor's command line")
    add("--dom0-args", default="", metavar="STR", help="more words for the control domain's kernel command line")
    add("--xl", action="store_true", help="the control domain with the stock toolstack, and its disk with guests")
    add("--kernel", metavar="FILE", help="the control domain's kernel, an arm64 Image")
    add("--initrd", metavar="FILE", help="its ramdisk")
    add("--icount", action="store_true", help="instruction clock: 1 instruction = 1 ns, deterministic")
    add("--disk", action="append", default=[], metavar="FILE", help="a raw disk image")
    add("--disk-bus", choices=("pci", "mmio", "sd"), default="pci", help="how disks are attached; sd: the card of a board")
    add("--net", nargs="?", const="pci", choices=("pci", "mmio"), help="a network card; it reaches only QEMU itself")
    add("--tftp", metavar="DIR", help="directory served by TFTP at 10.0.2.2")
    add("--gdb", action="store_true", help="wait for gdb-multiarch: target remote 127.0.0.1:1234")
    add("--dtb", metavar="FILE", help="device tree in place of QEMU's; must name the modules itself")
    add("--trace", metavar="FILE", help="log exceptions and guest errors to FILE")
    add("--no-reboot", action="store_true", help="a reset ends QEMU")
    add("--native", action="store_true", help="run the kernel without a hypervisor")
    add("--grub", dest="loader", action="store_const", const="grub", help="UEFI firmware and Debian's GRUB start it, from a disk")
    add("--efi", dest="loader", action="store_const", const="efi", help="UEFI firmware itself starts it, from a disk")


def machine_from(options):
    """A Machine as the options of add_machine_options() say."""
    names = ("board", "gic", "cpu", "smp", "mem", "dom0_mem", "dom0_vcpus", "hyp_args", "dom0_args", "icount", "net", "tftp",
             "gdb", "dtb", "trace", "native", "xl", "loader")
    parts = {name: getattr(options, name) for name in names}
    for name in ("kernel", "initrd"):
        if getattr(options, name):
            parts[name] = getattr(options, name)
    parts["disks"] = [(path, options.disk_bus) for path in options.disk]
    parts["reboot"] = not options.no_reboot
    return Machine(options.hyp, **parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_machine_options(parser)
    parser.add_argument("--print", action="store_true", help="print the QEMU command line and stop")
    parser.add_argument("--batch", action="store_true", help="console on standard input and output as they are, no keys for QEMU")
    parser.add_argument("qemu_args", nargs="*", metavar="-- QEMU_ARG", help="more arguments for QEMU")
    options = parser.parse_args()
    try:
        machine = machine_from(options)
        machine.extra = options.qemu_args
        command = machine.command(interactive=not options.batch)
    except SetupError as error:
        sys.exit(f"run: error: {error}")
    if options.print:
        print(shlex.join(command))
        return
    sys.stdout.flush()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
