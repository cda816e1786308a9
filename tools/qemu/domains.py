# SPDX-License-Identifier: Apache-2.0
"""Domains that start at boot, as nodes of the machine's device tree in Xen's dom0less binding.

run.py's Machine asks make_tree() for a tree and where the images go; people write such nodes in their own tree.
"""
import hashlib
import os
import subprocess

KIB_PER_MIB = 1024


class Domain:
    """One node of /chosen. Properties that the binding does not have go into `text`, as device tree source."""

    def __init__(self, name, kernel, **parts):
        self.name = name
        self.kernel = kernel
        self.ramdisk = None
        self.devices = None           # a partial device tree of devices that it gets: a file, see compile_tree()
        self.bootargs = ""
        self.mem = 64                 # MiB
        self.cpus = 1
        self.vpl011 = True
        self.enhanced = "no-xenstore"  # None: the guest is not told of the hypervisor
        self.text = ""
        for key, value in parts.items():
            if not hasattr(self, key):
                raise TypeError(f"a Domain has no '{key}'")
            setattr(self, key, value)

    def source(self, places):
        lines = ['compatible = "xen,domain";', "#address-cells = <2>;", "#size-cells = <2>;",
                 f"memory = <0 {self.mem * KIB_PER_MIB:#x}>;", f"cpus = <{self.cpus}>;"]
        if self.vpl011:
            lines.append("vpl011;")
        if self.enhanced is not None:
            lines.append(f'xen,enhanced = "{self.enhanced}";')
        lines += [self.text, module("kernel", places[self.kernel], self.bootargs)]
        if self.ramdisk:
            lines.append(module("ramdisk", places[self.ramdisk]))
        if self.devices:
            lines.append(module("device-tree", places[self.devices]))
        return f"{self.name} {{ " + " ".join(lines) + " };"


def cells(value):
    return f"{value >> 32:#x} {value & 0xffffffff:#x}"


def module(kind, place, bootargs=None):
    start, size = place
    text = f'module@{start:x} {{ compatible = "multiboot,{kind}", "multiboot,module"; reg = <{cells(start)} {cells(size)}>;'
    if bootargs is not None:
        text += f' bootargs = "{bootargs}";'
    return text + " };"


def place_images(domains, at, round_up):
    """{file: (address, size)}: each file once, from `at` upwards."""
    places = {}
    for domain in domains:
        for path in (domain.kernel, domain.ramdisk, domain.devices):
            if path and path not in places:
                places[path] = (at, os.path.getsize(path))
                at = round_up(at + os.path.getsize(path))
    return places


def compile_tree(text, directory):
    """Path of the device tree that is made of this source."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, hashlib.sha1(text.encode()).hexdigest()[:16] + ".dtb")
    made = f"{path}.{os.getpid()}"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", made], input=text, check=True, text=True)
    os.replace(made, path)
    return path


def source_of(dtb):
    """The text of a device tree."""
    return subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dtb], check=True, capture_output=True, text=True).stdout


def qemu_tree(board, directory):
    """The text of QEMU's own tree for this board."""
    os.makedirs(directory, exist_ok=True)
    dump = os.path.join(directory, f"qemu.{os.getpid()}")
    args = list(board)
    args[args.index("-M") + 1] += f",dumpdtb={dump}"
    subprocess.run(["qemu-system-aarch64", *args, "-display", "none", "-nodefaults"], check=True, capture_output=True)
    text = source_of(dump)
    os.unlink(dump)
    return text


def make_tree(base, directory, chosen, more=""):
    """Path of a tree: that of the text `base` with `chosen`, device tree source, in its node /chosen, and `more` beside it."""
    text = base + "\n/ { chosen { #address-cells = <2>; #size-cells = <2>; " + chosen + " }; " + more + " };\n"
    return compile_tree(text, directory)
