# SPDX-License-Identifier: Apache-2.0
"""Started by UEFI firmware: through Debian's GRUB and as an EFI application, and what is said when that cannot be."""
import re
import subprocess

import efi
import pytest
from run import hypervisor_path
from test_static import text_of

KERNEL_WORDS = "efi-test=grub quoted=a,b"
# A row of GRUB's lsefimmap: type, first and last address, size with a unit, attributes.
EFI_ROW = re.compile(r"^(\S+)\s+([0-9a-f]{16})-([0-9a-f]{16})\s+\S+\s+(.*)$", re.MULTILINE)
DOM0_RAM = re.compile(r"d0: RAM 0x([0-9a-f]+)-0x([0-9a-f]+)")


@pytest.fixture
def only_bulkhead(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own words")


@pytest.fixture
def start(boot, tmp_path):
    """boot() of a machine that firmware starts, from a disk of this test's own."""
    def one(loader, **parts):
        return boot(loader=loader, disk_path=str(tmp_path / "esp.img"), smp=2, reboot=False, **parts)
    return one


def plain(console):
    """What was said, without the positions and colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;=?]*[A-Za-z]", "", text_of(console)).replace("\r", "")


def ranges(pairs):
    return [(int(first, 16), int(last, 16)) for first, last in pairs]


def check_dom0(console, words):
    """The control domain has what the configuration says, and knows of no UEFI."""
    assert console.check("cat /proc/cmdline").split()[-len(words.split()):] == words.split()
    assert console.check("ls -d /sys/firmware/efi /proc/device-tree/chosen/linux,uefi* 2>/dev/null; echo none") == "none"


def power_off(console):
    console.leave()
    console.send("poweroff -f\r")
    assert console.expect_end() == 0


def test_grub(start, hyp):
    """The menu entry of docs/boot.md. dom0 gets nearly all memory, and nothing that the firmware keeps."""
    mib = 1024 if hyp == "xen" else 1990     # more than there is below the first of the places that are kept
    cfg = "set timeout=0\nlsefimmap\nmenuentry 'Debian on Bulkhead' {\n" \
          f"\txen_hypervisor /bulkhead placeholder console=dtuart dom0_mem={mib}M dom0_max_vcpus=1\n" \
          f"\txen_module /vmlinuz placeholder console=hvc0 rdinit=/init {KERNEL_WORDS}\n\txen_module --nounzip /initrd.gz\n}}\n"
    console = start("grub", mem=2048, disk_files={"grub/grub.cfg": cfg.encode()})
    check_dom0(console, KERNEL_WORDS)
    assert console.check("nproc") == "1"
    text = plain(console)
    kept = ranges((first, last) for kind, first, last, words in EFI_ROW.findall(text)
                  if not kind.startswith(("conv", "ldr-", "BS-")) and not kind.startswith("MMIO"))
    assert len(kept) >= 2 and all(0x40000000 <= first < 0xc0000000 for first, _ in kept), kept
    if hyp != "xen":
        banks = ranges(DOM0_RAM.findall(text))
        assert sum(last + 1 - first for first, last in banks) == mib << 20
        for first, last in banks:
            assert not [row for row in kept if row[0] <= last and first <= row[1]], (banks, kept)
        free, total = re.search(r"Memory for guests: (\d+) of (\d+) KiB", text).groups()
        assert int(total) == 2048 << 10 and int(free) > (2048 - 40) << 10
    power_off(console)


@pytest.mark.xen_cannot("Xen's own file has the same form, but the package has no configuration that says so")
def test_efi_application(start):
    """\\EFI\\BOOT\\BOOTAA64.EFI and xen.cfg beside it; names with and without a folder."""
    cfg = "# first\r\n[global]\r\ndefault=two\r\n[one]\r\nkernel=nothing\r\n[two]\r\n" \
          "options=console=dtuart dom0_mem=512M loglvl=all\r\n" \
          f"kernel=../../vmlinuz console=hvc0 rdinit=/init {KERNEL_WORDS}\r\nramdisk=/initrd.gz\r\nxsm=not-read\r\n"
    console = start("efi", mem=1024, disk_files={"EFI/BOOT/xen.cfg": cfg.encode()})
    check_dom0(console, KERNEL_WORDS)
    assert "Command line: console=dtuart dom0_mem=512M loglvl=all" in plain(console)
    power_off(console)


# ---- what cannot be


def image(hyp):
    with open(hypervisor_path(hyp), "rb") as file:
        return file.read()


def changed(data, at, new):
    return data[:at] + new + data[at + len(new):]


def grub_script(tries):
    """grub.cfg that boots (hypervisor, kernel, device tree) one after the other, as far as each comes back."""
    lines = []
    for number, (hypervisor, kernel, tree) in enumerate(tries):
        lines += [f"echo try {number}", f"devicetree {tree}" if tree else "",
                  f"xen_hypervisor {hypervisor} console=dtuart dom0_mem=512M",
                  f"xen_module {kernel} console=hvc0 rdinit=/init" if kernel else "", "xen_module --nounzip /initrd.gz" if tree else "",
                  "boot"]
    return "\n".join(lines + ["echo that was all", ""]).encode()


NO_KERNEL = "Bulkhead: nothing to start: the device tree names no kernel for dom0; load one (GRUB: xen_module FILE ARGUMENTS)"
NO_TREE = ("Bulkhead: the firmware has no device tree of this machine, perhaps ACPI only; turn ACPI off in its set-up (QEMU: -M "
           "virt,acpi=off) or load a tree (GRUB: devicetree FILE)")


def check_said(console, expected):
    said = re.split(r"try \d\n", plain(console))[1:]
    assert len(said) == len(expected)
    for words, text in zip(expected, said):
        assert words in text


@pytest.mark.usefixtures("only_bulkhead")
def test_grub_mistakes(start, hyp, tmp_path):
    """ACPI firmware and GRUB, mistake after mistake on one machine, and then the cure that the message names."""
    tree = str(tmp_path / "virt.dtb")
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version=3,virtualization=on,dumpdtb={tree}", "-bios", efi.FIRMWARE,
                    "-cpu", "cortex-a53", "-smp", "2", "-m", "1024", "-display", "none", "-nodefaults"], check=True, capture_output=True)
    tries = [("/head", "", ""), ("/gone", "", ""), ("/bulkhead", "/vmlinuz", ""), ("/bulkhead", "/vmlinuz", "/virt.dtb")]
    console = start("grub", mem=1024, board_options=",acpi=on", disk_files={
        "head": image(hyp)[:40], "virt.dtb": tree, "grub/grub.cfg": grub_script(tries)})
    check_said(console, ["you need to load the kernel first", "file `/gone' not found", NO_TREE, "(BH) Bulkhead"])
    power_off(console)


@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("tries, said", [
    ([("/bulkhead", "", ""), ("/bulkhead", "/gone", "")], [NO_KERNEL, "file `/gone' not found.\n" + NO_KERNEL]),
    ([("/cut", "/vmlinuz", "")], ["error: cannot load image."]),
    ([("/x86", "/vmlinuz", "")], ["error: cannot load image."]),
], ids=["no-kernel", "cut-off", "other-machine"])
def test_grub_refusals(start, hyp, tries, said):
    """A machine each: GRUB 2.06 keeps the tree of a failed boot, with its modules."""
    whole = image(hyp)
    files = {"cut": whole[:100_000], "x86": changed(whole, 0x44, b"\x64\x86"), "grub/grub.cfg": grub_script(tries)}
    console = start("grub", mem=384, wait=False, disk_files=files)
    console.expect(b"that was all")
    check_said(console, said)


SECTION = "[global]\ndefault=a\n[a]\n"
MISTAKES = [
    # name of the image, its configuration file, what is said
    ("none", None, "cannot read none.cfg or xen.cfg in the image's folder; write one with [global], default=NAME, [NAME], "
     "kernel=FILE ARGUMENTS, ramdisk=FILE, options=WORDS"),
    ("empty", "", "cannot read empty.cfg or xen.cfg"),
    ("nodefault", "[a]\nkernel=vmlinuz\n", "configuration file: no default= in [global]; name the section to start there"),
    ("nosection", "[global]\ndefault=b\n[a]\nkernel=vmlinuz\n", "configuration file: [b] has no kernel=; add it, or name "
     "another section in [global] default="),
    ("nokernel", SECTION + "kernel=boot/vmlinux x\n", "configuration file: kernel=boot/vmlinux: no such file; names are relative "
     "to the image's folder, or begin with /"),
    ("noramdisk", SECTION + "kernel=vmlinuz\nramdisk=/initrd\n", "configuration file: ramdisk=/initrd: no such file"),
    ("void", SECTION + "kernel=void\n", "configuration file: kernel=void: it is empty or cannot be read; copy it again"),
    ("nodtb", SECTION + "kernel=vmlinuz\ndtb=nodtb.cfg\n", "the device tree is broken; load another (GRUB: devicetree FILE)"),
    ("toolarge", SECTION + "kernel=vmlinuz\nramdisk=large\n", "KiB of memory left; give the machine more"),
]


@pytest.mark.usefixtures("only_bulkhead")
def test_application_mistakes(start, hyp, tmp_path):
    """The firmware's shell starts one image after the other, each with a configuration of its own."""
    whole = image(hyp)
    files = {"EFI/BOOT/BOOTAA64.EFI": None, "EFI/BOOT/xen.cfg": None, "void": b"", "cut.efi": whole[:200_000]}
    for name, cfg, _ in MISTAKES:
        files[name + ".efi"] = whole
        if cfg is not None:
            files[name + ".cfg"] = cfg.encode()
    with open(tmp_path / "large", "wb") as file:
        file.truncate(400 << 20)
    files["large"] = str(tmp_path / "large")
    files["startup.nsh"] = "".join(f"echo try {name}\r\nfs0:\\{name}.efi\r\n"
                                   for name in [row[0] for row in MISTAKES] + ["cut"]).encode()
    console = start("efi", mem=384, wait=False, disk_files=files)
    console.expect(b"Script Error Status: Unsupported")
    said = dict(zip([name for name, _, _ in MISTAKES] + ["cut"], re.split(r"\ntry \w+\n", plain(console))[1:]))
    for name, _, words in MISTAKES:
        assert "Bulkhead: " + words in said[name] or words in said[name].replace("\n", ""), (name, said[name])
    assert "Bulkhead" not in said["cut"]


@pytest.mark.usefixtures("only_bulkhead")
def test_wrong_level(start):
    console = start("efi", mem=384, wait=False, board_options=",virtualization=off")
    console.expect(rb"Bulkhead: started at EL1, but it needs EL2; let the firmware run there \(QEMU: -M virt,virtualization=on")
