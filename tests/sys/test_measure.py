# SPDX-License-Identifier: Apache-2.0
"""Measured boot: only what the device tree lists is started. bulkhead-image makes the tree; then files change.

Ramdisks of lengths around SHA-256's blocks show that the CPU's own instructions find the same as Python's hashlib.
"""
import hashlib
import os
import re
import subprocess

import pytest
from conftest import ROOT
from image_cases import HYPERVISOR, STATIC
from domains import compile_tree
from test_image import ICOUNT, Described, log_path, require
from console import Console
from run import BUILD

TOOL = os.path.join(BUILD, "bulkhead-image")
HELLO = os.path.join(ROOT, "build", "guests", "hello.bin")
LENGTHS = (1, 55, 56, 63, 64, 65, 119, 120, 1 << 20)
ROLES = ("kernel", "ramdisk", "passthrough")
SAID = {"kernel": "kernel", "ramdisk": "ramdisk", "passthrough": "device tree"}


@pytest.fixture(autouse=True)
def wants_bulkhead(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own property")


class Partitions:
    """A description that grows, its files, and the machine that boots it."""

    def __init__(self, folder, name):
        self.folder, self.log, self.console = folder, log_path("measure_" + name), None
        self.files = {}         # what the log calls it: path
        self.text = ""

    def file(self, of, role, data):
        path = self.folder / f"{of}.{role}"
        path.write_bytes(data)
        self.files[f"{SAID[role]} of {of}"] = path
        return f'{role} = "{path}"\n'

    def add(self, name, ramdisk=b"", devices=b"", kernel=STATIC):
        with open(kernel, "rb") as file:
            self.text += f"[{name}]\n" + self.file(name, "kernel", file.read()) + "memory = 32\nvcpus = 1\n"
        self.text += 'enhanced = "no-xenstore"\n' if name != "dom0" else ""
        self.text += self.file(name, "ramdisk", ramdisk) if ramdisk else ""
        self.text += self.file(name, "passthrough", devices) if devices else ""

    def make(self, options="", hashes=1):
        head = f'machine = "virt-gicv3"\nmemory = 1024\nhypervisor = "{HYPERVISOR}"\noptions = "console=dtuart {options}"\n'
        (self.folder / "it.cfg").write_text(head + f"hashes = {hashes}\n" + self.text)
        subprocess.run([TOOL, "-o", self.folder, self.folder / "it.cfg"], check=True, capture_output=True)

    def flip(self, what):
        """One bit of a file, in its last byte."""
        data = bytearray(self.files[what].read_bytes())
        data[-1] ^= 0x10
        self.files[what].write_bytes(data)

    def unlist(self, name, role):
        """Its hash leaves the tree."""
        tree = self.folder / "it.dtb"
        node = f"/chosen/{name}" if name != "dom0" else "/chosen"
        for child in subprocess.run(["fdtget", "-l", tree, node], check=True, capture_output=True, text=True).stdout.split():
            kind = subprocess.run(["fdtget", tree, f"{node}/{child}", "compatible"], capture_output=True, text=True,
                                  check=False).stdout
            if f"multiboot,{role}" in kind:
                subprocess.run(["fdtput", "-d", tree, f"{node}/{child}", "bulkhead,sha256"], check=True)

    def boot(self, until):
        self.console = Console(Described(self.folder / "it.qemu.sh", *ICOUNT), self.log)
        self.console.expect(until)
        return self.console.data.decode(errors="replace").replace("\r", "")

    def sum(self, what):
        return hashlib.sha256(self.files[what].read_bytes()).hexdigest()


def device(name, address, folder):
    """A partial device tree, of one device."""
    cells = f"0 {address:#x} 0 0x1000"
    regs = f"xen,reg = <{cells} 0 {address:#x}>; reg = <{cells}>;"
    node = f'device@{address:x} {{ xen,path = "/{name}"; xen,force-assign-without-iommu; {regs} }};'
    tree = f"/dts-v1/; / {{ passthrough {{ #address-cells = <2>; #size-cells = <2>; {node} }}; }};"
    with open(compile_tree(tree, folder), "rb") as file:
        return file.read()


@pytest.fixture(name="parts")
def fixture_parts(tmp_path, request):
    require(STATIC, HELLO)
    made = Partitions(tmp_path, request.node.name)
    yield made
    if made.console:
        made.console.close()


def test_wrong_files_beside_right_ones(parts):
    """Each kind of module with one wrong bit costs its own domain only; every other hash is what the file has."""
    for length in LENGTHS:
        parts.add(f"n{length}", ramdisk=os.urandom(length))
    parts.add("devices", devices=device("pl031@9010000", 0x9010000, parts.folder))
    for role in ROLES:
        parts.add(f"bad-{role}", ramdisk=b"some",
                  devices=device("pl061@9030000", 0x9030000, parts.folder) if role == "passthrough" else b"")
    parts.make("measure=log")
    shown = subprocess.run([TOOL, "--explain", parts.folder / "it.dtb"], check=True, capture_output=True, text=True).stdout
    listed = {what: parts.sum(what) for what in parts.files}
    assert all(f"#   SHA-256 {value}\n" in shown for value in listed.values())
    wrong = [f"{SAID[role]} of bad-{role}" for role in ROLES]
    for what in wrong:
        parts.flip(what)
    said = parts.boot(rb"\(devices\) GUEST (PASS|FAIL)")
    found = {what: value for value, what in re.findall(r"\(BH\) SHA-256 (\w{64}) (\S.*), as listed\n", said)}
    unseen = "ramdisk of bad-kernel"    # nobody looks at it any more
    assert found == {what: value for what, value in listed.items() if what not in wrong and what != unseen}
    for role, what in zip(ROLES, wrong):
        assert f"(BH) {what}: SHA-256 is {parts.sum(what)}, the device tree lists {listed[what]}; load that file" in said
        assert f"(BH) /chosen/bad-{role}: this domain is not started" in said
    assert said.count("this domain is not started") == len(wrong)
    assert len(re.findall(r"\(BH\) d\d+: \S+, 1 vCPUs", said)) == len(LENGTHS) + 1
    assert re.search(r"\(BH\) SHA-256 \w{64} device tree\n", said)


def test_require(parts):
    """A module without a hash costs its domain; dom0 and the others run."""
    parts.add("dom0", ramdisk=b"not used", kernel=HELLO)
    parts.add("listed", ramdisk=b"listed")
    parts.add("half", ramdisk=b"unlisted")
    parts.make("measure=require")
    parts.unlist("half", "ramdisk")
    said = parts.boot(rb"d0 shut down")
    assert re.search(r"\(BH\) boot module ramdisk of half at 0x\w+, 0x8 bytes: has no \"bulkhead,sha256\"", said)
    assert "(BH) /chosen/half: this domain is not started" in said and said.count("is not started") == 1
    assert "(BH) d1: listed, 1 vCPUs" in said


@pytest.mark.parametrize("how", ("flipped", "unlisted"))
def test_dom0(parts, how):
    """The machine stops: whoever could tell about it is not who it should be."""
    parts.add("dom0", ramdisk=b"not used", kernel=HELLO)
    parts.add("listed")
    parts.make("measure=require" if how == "unlisted" else "")
    if how == "unlisted":
        parts.unlist("dom0", "ramdisk")
    else:
        parts.flip("ramdisk of dom0")
    said = parts.boot(rb"\(BH\) Cannot boot: dom0 \(see above; error 13\)")
    why = {"flipped": r"ramdisk of dom0: SHA-256 is", "unlisted": r"boot module ramdisk at 0x\w+, 0x8 bytes: has no"}
    assert re.search(why[how], said)
    assert "GUEST" not in said and "d1:" not in said


def test_nothing_unasked(parts):
    """Without hashes in the tree nothing is measured, and a changed file starts."""
    parts.add("any", ramdisk=b"whatever")
    parts.make(hashes=0)
    shown = subprocess.run([TOOL, "--explain", parts.folder / "it.dtb"], check=True, capture_output=True, text=True).stdout
    assert "hashes = 0\n" in shown and "SHA-256" not in shown
    parts.flip("ramdisk of any")
    said = parts.boot(rb"GUEST (PASS|FAIL)|vCPUs")
    assert "SHA-256" not in said and "(BH) d1: any" in said


def test_property_of_another_length(parts):
    """It would check nothing: its domain is refused, with the node's name."""
    parts.add("cut")
    parts.add("whole")
    parts.make()
    tree = parts.folder / "it.dtb"
    node = subprocess.run(["fdtget", "-l", tree, "/chosen/cut"], check=True, capture_output=True, text=True).stdout.split()[0]
    subprocess.run(["fdtput", "-t", "x", tree, f"/chosen/cut/{node}", "bulkhead,sha256", "1", "2", "3"], check=True)
    said = parts.boot(rb"d2: whole|d1: whole")
    assert f'/chosen/cut/{node}: "bulkhead,sha256" is not one hash' in said
    assert "/chosen/cut: this domain is not started" in said
