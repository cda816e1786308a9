# SPDX-License-Identifier: Apache-2.0
"""The runs of the ledger: which guests, on which machine, and what el2count.c saw of them.

All with the instruction clock, no disk, no card and nobody at the console: a run gives the same figures everywhere.
(How long guests on several CPUs wait for each other may vary; what EL2 does then does not.)
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools", "qemu"), os.path.join(ROOT, "tools", "image")]
import run  # noqa: E402  pylint: disable=wrong-import-position  # before paths: tools/check has another run.py
from domains import Domain, compile_tree  # noqa: E402  pylint: disable=wrong-import-position
import ramdisk  # noqa: E402  pylint: disable=wrong-import-position
import paths  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.join(ROOT, "tools", "ledger")
OUT = os.path.join(run.BUILD, "ledger")
NM = "aarch64-linux-gnu-nm"
# guests/*.c: name, CPUs. Those whose calls are drawn at random (hc_hostile) say nothing about a typical cost.
GUESTS = (("bench", 1), ("hypercalls", 1), ("hc_basic", 1), ("evtchn", 1), ("evtchn_fifo", 1), ("gnttab", 1), ("domctl", 1),
          ("vgic_regs", 1), ("vgic_spi", 1), ("vgic_state", 1), ("vgic_sgi", 1), ("vtimer", 1), ("sysregs", 1),
          ("device_irq", 1), ("mmio_fault", 1), ("its", 1), ("bench_its", 1), ("psci_smp", 4), ("evtchn_vcpu", 4),
          ("vgic_sgi", 4), ("its", 4))
# What a guest needs besides: a card that interrupts by messages, its registers where the guest maps devices.
PARTS = {"bench_its": {"board_options": ",highmem=off", "extra": ["-device", "edu"]}}
# Those of them that show what is different on a GICv2: its registers, interrupts, timers, messages between CPUs.
GUESTS_GIC2 = (("vgic_regs", 1), ("vgic_spi", 1), ("vgic_state", 1), ("vgic_sgi", 1), ("vtimer", 1), ("device_irq", 1),
               ("psci_smp", 4), ("evtchn_vcpu", 4), ("vgic_sgi", 4))
GICC_IAR = 0x801000c    # of QEMU's machine
# What Linux does between mark 1 and mark 2: name, script, words for its command line, words for the hypervisor's.
# nohz=off: a tick 250 times a second, whatever it does. nohlt: it polls instead of WFI.
LINUX = (("poll", "sleep 0.2", "nohz=off nohlt", ""),
         ("busy", "busybox awk 'BEGIN { while (i < 200000) i++ }'", "nohz=off", ""),
         ("wfi", "sleep 1", "nohz=off", ""),
         ("native", "sleep 1", "nohz=off", "vwfi=native"))


class RunError(Exception):
    """A run that gave no figures; the text says why."""


class Build:
    """A build of Bulkhead that is measured: its image, and where things are in it."""

    def __init__(self, folder):
        self.image = os.path.join(folder, "bulkhead")
        self.elf = self.image + ".elf"
        if not os.path.exists(self.elf):
            raise RunError(f"no {self.elf}\ncure: make")
        lines = subprocess.check_output([NM, self.elf], text=True).splitlines()
        self.symbols = {words[2]: int(words[0], 16) for words in map(str.split, lines) if len(words) == 3}
        with open(os.path.join(folder, "offsets.h"), encoding="ascii") as file:
            self.offsets = dict(re.findall(r"#define (\w+) (\d+)", file.read()))

    def plugin_words(self, out, gic):
        iar = f",iar={GICC_IAR:#x}" if gic == 2 else ""
        return (f"out={out},low={self.symbols['image_start']:#x},high={self.symbols['image_end']:#x},"
                f"vectors={self.symbols['vectors']:#x},work={self.symbols['guest_exit_slow']:#x},"
                f"vcpu_work={self.offsets['VCPU_WORK']},pcpu_work={self.offsets['PCPU_WORK']}{iar}")


def compile_c(compiler, source, target):
    try:
        subprocess.run(compiler + ["-Wall", "-Wextra", "-Werror", "-O2", "-o", target, source], check=True)
    except FileNotFoundError as error:
        raise RunError(f"no compiler {compiler[0]}\ncure: tools/setup/host.sh") from error
    except subprocess.CalledProcessError as error:
        raise RunError(f"{source} does not compile; see the messages above") from error


def prepare():
    os.makedirs(OUT, exist_ok=True)
    compile_c(["gcc", "-shared", "-fPIC"], os.path.join(HERE, "el2count.c"), os.path.join(OUT, "el2count.so"))
    compile_c(["aarch64-linux-gnu-gcc", "-static", "-s", "-Wl,--build-id=none"],
              os.path.join(ROOT, "tools", "bench", "xl", "mark.c"), os.path.join(OUT, "mark"))


def boot(build, name, want, timeout, **parts):
    """(what the plugin counted by marks, console) of one machine; WANT must stand on its console."""
    machine = run.Machine(build.image, icount=True, reboot=False, **parts)
    counted = os.path.join(OUT, name + ".paths")
    machine.extra = [*machine.extra, "-machine", "dtb-randomness=off", "-plugin",
                     os.path.join(OUT, "el2count.so") + "," + build.plugin_words(counted, machine.gic)]
    done = subprocess.run(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    console = done.stdout.decode(errors="replace").replace("\r", "")
    with open(os.path.join(OUT, name + ".log"), "w", encoding="utf-8") as file:
        file.write(console)
    if done.returncode or not re.search(want, console):
        raise RunError(f"{name}: '{want}' did not come; the console's last lines:\n" + "\n".join(console.splitlines()[-25:]))
    sections = paths.read(counted)
    if any(section["lost"] for section in sections):
        raise RunError(f"{name}: stretches without an end: EL2 and guests cannot be told apart by address")
    return sections, console


def guest(build, name, cpus, timeout, gic=3):
    """One bare-metal guest of guests/ as the control domain."""
    kernel = os.path.join(run.BUILD, "guests", name + ".bin")
    if not os.path.exists(kernel):
        raise RunError(f"no guest at {kernel}\ncure: make guests")
    return boot(build, f"{name}-{cpus}-gic{gic}", "GUEST PASS", timeout, gic=gic, smp=cpus, mem=2048, dom0_mem=768, dom0_vcpus=cpus,
                kernel=kernel, initrd=None, **PARTS.get(name, {}))


def with_script(base, script, files=()):
    """The control domain's ramdisk BASE with a script that runs when it is up; gives its path."""
    source = os.path.join(run.BUILD, "dom0", base + ".cpio.gz")
    if not os.path.exists(source):
        raise RunError(f"no {source}\ncure: tools/image/mkdom0.py")
    archive = ramdisk.Archive()
    archive.add_host("bin/mark", os.path.join(OUT, "mark"))
    for path, host in files:
        archive.add_host(path, host)
    archive.add_host("etc/rc.d/zledger", script)
    with open(source, "rb") as file:
        data = file.read()
    target = os.path.join(OUT, base + ".cpio")
    with open(target, "wb") as file:
        file.write(data + b"\0" * (-len(data) % 4) + archive.image())
    return target


def linux(build, name, script, dom0_args, hyp_args, timeout):
    """The stock kernel as the control domain, SCRIPT between marks 1 and 2."""
    path = os.path.join(OUT, "script")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nmark 1 {script}\nmark 2\necho ledger: done\npoweroff -f\n")
    os.chmod(path, 0o755)
    return boot(build, "linux-" + name, "ledger: done", timeout, smp=1, mem=2048, initrd=with_script("dom0", path),
                dom0_args=dom0_args, hyp_args=hyp_args)


def toolstack(build, timeout):
    """The stock toolstack makes a stock guest (marks 1 to 2), reaches it by network (to 3) and destroys it (to 4)."""
    files = (("ledger/vmlinuz", os.path.join(run.BUILD, "peer", "vmlinuz")),
             ("ledger/domu.cpio.gz", os.path.join(run.BUILD, "dom0", "domu.cpio.gz")),
             ("etc/xen/ledger.cfg", os.path.join(HERE, "guest.cfg")))
    disk = with_script("dom0-xl", os.path.join(HERE, "dom0.sh"), files)
    return boot(build, "toolstack", "ledger: done", timeout, smp=1, mem=2048, initrd=disk)


def attack(build, timeout):
    """A guest with two cards behind an SMMU attacks with them, and by all that is emulated for them, from mark 1 to mark 2."""
    with open(os.path.join(ROOT, "examples", "pci", "guest.dts"), encoding="utf-8") as file:
        tree = compile_tree(file.read(), OUT)
    files = (("ledger/attack", os.path.join(run.BUILD, "guests", "domu_pci.bin")), ("ledger/guest.dtb", tree),
             ("etc/xen/attack.cfg", os.path.join(HERE, "attack.cfg")))
    cards = [word for number in (3, 4) for word in ("-device", f"edu,dma_mask=0xffffffffffffffff,addr={number}")]
    return boot(build, "attack", "now: both", timeout, smp=1, mem=2048, board_options=",iommu=smmuv3",
                extra=["-global", "arm-smmuv3.stage=2", *cards],
                initrd=with_script("dom0-pci", os.path.join(HERE, "attack.sh"), files))


def first_domain(build, count, mem, timeout):
    """Ticks of the counter from reset to the first instruction of the first of COUNT bare-metal domains of 64 MiB."""
    kernel = os.path.join(run.BUILD, "guests", "static_dom.bin")
    machine = run.Machine(build.image, icount=True, reboot=False, kernel=None, initrd=None, smp=1, mem=mem,
                          domains=[Domain(f"dom{number}", kernel) for number in range(1, count + 1)])
    command = ["timeout", str(timeout)] + machine.command()
    console = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace") as qemu:
        for line in qemu.stdout:
            console.append(line)
            found = re.search(r"\(dom1\) machine: .*, ticks (\d+)", line)
            if found:
                qemu.terminate()
                return int(found.group(1))
    raise RunError(f"{count} domains, {mem} MiB: the first did not start; the console's last lines:\n" + "".join(console[-25:]))
