# SPDX-License-Identifier: Apache-2.0
"""What a machine says that was set up wrong: one line with the cause, one that it cannot boot, then it stops.

Each machine lives for about a second. Trees that QEMU would repair or refuse itself are put into memory beside the
hypervisor, with four instructions in place of the boot loader.
"""
import os
import re
import struct
import subprocess

import pytest
from conftest import log_path
from console import Console
from run import BUILD, MIB, Machine, hypervisor_path

QUIET = 0.3             # ... after the last words, as a stop
LOADER_AT = 0x47000000
HYP_AT = 0x40200000
DTB_AT = 0x48000000
KERNEL_AT = 0x50000000
INITRD_AT = 0x54000000
MEM = 1024
KERNEL = os.path.join(BUILD, "peer", "vmlinuz")
STARTS = rb"Memory for guests"


@pytest.fixture(autouse=True)
def wants_hypervisor(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own messages")


class Bare(Machine):
    """A machine whose command line is changed by functions of a list."""

    def __init__(self, hyp, *changes, **parts):
        super().__init__(hyp, **{"smp": 1, "mem": MEM, "initrd": None, **parts})
        self.changes = changes

    def command(self, interactive=False):
        words = super().command(interactive)
        for change in self.changes:
            words = change(words)
        return words


def without_modules(words):
    drop = {n + k for n, word in enumerate(words) if word.startswith("guest-loader") for k in (-1, 0)}
    return [word for n, word in enumerate(words) if n not in drop]


def at_el1(words):
    return [word.replace(",virtualization=on", "") for word in words]


class Blob(Machine):
    """A machine that gets the bytes of a device tree as they are."""

    def __init__(self, hyp, folder, tree, **parts):
        super().__init__(hyp, **{"smp": 1, "mem": MEM, **parts})
        self.files = [(hypervisor_path(hyp), HYP_AT)]
        # ldr x0, tree; ldr x1, hypervisor; br x1
        loader = struct.pack("<4I2Q", 0x58000080, 0x580000a1, 0xd61f0020, 0, DTB_AT, HYP_AT)
        for name, data, where in (("loader.bin", loader, LOADER_AT), ("tree.dtb", tree, DTB_AT)):
            (folder / name).write_bytes(data)
            self.files.append((str(folder / name), where))

    def _images(self):
        args = []
        for path, where in self.files:
            args += ["-device", f"loader,file={path},addr={where:#x},force-raw=on"]
        return args + ["-device", f"loader,addr={LOADER_AT:#x},cpu-num=0"]


@pytest.fixture(name="source", scope="session")
def fixture_source(tmp_path_factory):
    """Source of the device tree of QEMU's machine, with two modules."""
    path = tmp_path_factory.mktemp("tree") / "virt.dtb"
    board = f"virt,gic-version=3,virtualization=on,dumpdtb={path}"
    subprocess.run(["qemu-system-aarch64", "-M", board, "-cpu", "cortex-a53", "-m", str(MEM), "-display", "none"],
                   check=True, capture_output=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", str(path)], check=True, capture_output=True).stdout
    modules = ""
    for kind, where, size in (("kernel", KERNEL_AT, 2 * MIB), ("ramdisk", INITRD_AT, MIB)):
        modules += (f'module@{where:x} {{ compatible = "multiboot,{kind}", "multiboot,module"; '
                    f"reg = <0 {where:#x} 0 {size:#x}>; }};")
    return re.sub(r"(chosen \{[^}]*)\};", r"\1" + modules + "};", text.decode(), count=1)


def compiled(source, *changes):
    """The tree after (pattern, replacement) pairs, each of which must fit."""
    for pattern, new in changes:
        source, count = re.subn(pattern, new, source, flags=re.DOTALL)
        assert count, pattern
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), check=True,
                          capture_output=True).stdout


@pytest.fixture(name="run")
def fixture_run(request):
    """run(machine): its console, ended with the test."""
    consoles = []

    def start(machine):
        consoles.append(Console(machine, log_path(request.node.name)))
        return consoles[-1]
    yield start
    for console in consoles:
        console.close()


def expect_refusal(console, cause, last=rb"\(BH\) Cannot boot: [^\n]*\n"):
    """CAUSE once, LAST once, then silence, and no report of a bug."""
    console.expect(last)
    assert not console.selector.select(timeout=QUIET), "it goes on after its last words"
    assert console.process.poll() is None, "QEMU ended"
    assert len(re.findall(cause, console.data)) == 1, console.tail()
    assert len(re.findall(last, console.data)) == 1, console.tail()
    assert b"PANIC" not in console.data


def test_no_kernel_module(run, hyp):
    expect_refusal(run(Bare(hyp, without_modules)), rb'no node is compatible with "multiboot,kernel"')


@pytest.mark.parametrize("what, cause", [
    ("truncated", rb"kernel: an Image that is cut off"),
    ("text", rb"kernel: no arm64 Image \(no ARM.x64 at byte 56\)"),
    ("tiny", rb"kernel: shorter than an Image's header"),
])
def test_kernel_that_is_none(run, hyp, tmp_path, what, cause):
    with open(KERNEL, "rb") as file:
        data = {"truncated": file.read(MIB), "text": b"#!/bin/sh\n" * 4096, "tiny": b"MZ"}[what]
    kernel = tmp_path / "kernel"
    kernel.write_bytes(data)
    expect_refusal(run(Bare(hyp, kernel=str(kernel))), cause)


@pytest.mark.parametrize("args, cause", [
    ("dom0_mem=4G", rb"dom0_mem: \d+ MiB more wanted than there is free"),
    ("dom0_mem=abc", rb'option dom0_mem: "abc" is not allowed; give dom0_mem=SIZE'),
    ("dom0_max_vcpus=0", rb'option dom0_max_vcpus: "0" is not allowed; give dom0_max_vcpus=N'),
    ("sched=fair", rb'option sched: "fair" is not allowed; give sched=credit2'),
    ("dtuart=serial9", rb"option dtuart=serial9: no such node or alias"),
])
def test_bad_option(run, hyp, args, cause):
    expect_refusal(run(Bare(hyp, hyp_args=args)), cause)


def test_unknown_option_is_one_warning(run, hyp):
    console = run(Bare(hyp, hyp_args="frobnicate=1"))
    console.expect(STARTS)
    assert console.data.count(b"option frobnicate is unknown and ignored") == 1


@pytest.mark.parametrize("changes, cause", [
    pytest.param([(r"<0 0x54000000 0 0x100000>", "<0 0xf0000000 0 0x100000>")],
                 rb"boot module ramdisk at 0xf0000000, 0x100000 bytes: is not inside one bank", id="ramdisk-outside"),
    pytest.param([(r"<0 0x54000000 0 0x100000>", "<0 0x50100000 0 0x200000>")],
                 rb"boot module ramdisk at 0x50100000, 0x200000 bytes: overlaps another boot module", id="overlap"),
    pytest.param([(r"<0 0x54000000 0 0x100000>", "<0 0x40200000 0 0x1000>")],
                 rb"boot module ramdisk at 0x40200000, 0x1000 bytes: overlaps the hypervisor", id="on-hypervisor"),
    pytest.param([(r"memory@40000000 \{.*?\};", "")], rb'no node has device_type "memory"', id="no-memory"),
    pytest.param([(r'"arm,gic-v3"', '"acme,gic-v9"')], rb"is compatible with a GICv2 or GICv3", id="unknown-gic"),
    pytest.param([(r"chosen \{[^{}]*\{[^{}]*\};[^{}]*\{[^{}]*\};[^{}]*\};", "")], rb"no node /chosen", id="no-chosen"),
    pytest.param([(r'stdout-path = "[^"]*";', ""), (r'"arm,gic-v3"', '"acme,gic-v9"')],
                 rb"is compatible with a GICv2 or GICv3", id="unknown-gic-no-console"),
])
def test_bad_tree(run, hyp, tmp_path, source, changes, cause):
    expect_refusal(run(Blob(hyp, tmp_path, compiled(source, *changes))), cause)


def cut_behind_console(tree):
    """Up to the node after the serial port: property names and header's promises are lost."""
    return tree[:tree.index(b"arm,pl011") + 512]


def grown(tree):
    return tree[:4] + struct.pack(">I", 64 * MIB) + tree[8:]


def without_magic(tree):
    return b"\0\0\0\0" + tree[4:]


@pytest.mark.parametrize("damage, cause", [
    (cut_behind_console, rb"device tree: broken at offset"),
    (grown, rb"device tree: its total size is beyond 2 MiB"),
    (without_magic, rb"device tree: not found where the loader said"),
])
def test_damaged_tree_still_finds_a_console(run, hyp, tmp_path, source, damage, cause):
    # Nothing in the tree may be trusted: the console is a guess.
    expect_refusal(run(Blob(hyp, tmp_path, damage(compiled(source)))), cause)


def test_the_tree_itself_is_good(run, hyp, tmp_path, source):
    """Without damage the same way of booting reaches the kernel, which here is none."""
    expect_refusal(run(Blob(hyp, tmp_path, compiled(source))), rb"kernel: no arm64 Image")


def test_more_cpus_than_supported(run, hyp):
    console = run(Bare(hyp, smp=40, icount=True))
    console.expect(STARTS)
    assert console.data.count(b"/cpus: 40 CPUs, the first 32 are used") == 1
    assert b"32 CPUs, " in console.data


def test_wrong_exception_level(run, hyp):
    expect_refusal(run(Bare(hyp, at_el1)), rb"this CPU is at EL1", last=rb"must be started at EL2[^\n]*\n[^\n]*\n")
