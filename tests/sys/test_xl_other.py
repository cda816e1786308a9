# SPDX-License-Identifier: Apache-2.0
"""Guests other than the example ones, made by the stock xl: bare-metal programs, programs that misbehave, and the newer
kernel of Debian's backports as control domain and as guest.

What they need comes on a disk that is a tar archive, unpacked in the control domain's /tmp.
"""
import hashlib
import io
import os
import random
import re
import tarfile

import pytest
from conftest import ROOT, Booter

BUILD = os.path.join(ROOT, "build")
MIB = 1 << 20
# Those that neither take themselves for the first domain nor need shared interrupts, which xl gives no guest, nor
# measure time: others may have the CPU for a millisecond.
BARE_METAL = ["domu", "hello", "psci_smp", "evtchn_vcpu", "vgic_sgi", "mmio_fault", "sysregs"]
BARE_CFG = """name = "{name}"
kernel = "/tmp/{image}.bin"
extra = "{name}"
memory = 64
vcpus = 2
on_crash = "preserve"
"""
NEWER_CFG = """name = "newer"
kernel = "/tmp/vmlinuz-backports"
ramdisk = "/tmp/domu-backports.cpio.gz"
extra = "console=hvc0 rdinit=/init guest=newer address=192.168.77.13/24"
memory = 192
vcpus = 2
disk = [ "/guests/two.img,raw,xvda,rw" ]
vif = [ "mac=00:16:3e:00:00:13,bridge=xenbr0" ]
"""


def bare_files():
    """Paths of the guests' images, and their configurations as {name in the archive: text}."""
    images = [os.path.join(BUILD, "guests", image + ".bin") for image in BARE_METAL + ["domu_fault", "crash"]]
    configs = {name: (name, name) for name in BARE_METAL + ["crash"]}
    configs.update({name: (name, "domu_fault") for name in ("writes_everywhere", "undefined", "handler_faults", "spins")})
    return images, {name + ".cfg": BARE_CFG.format(name=name, image=image) for name, (_, image) in configs.items()}


def write_archive(path, files, texts):
    for file in files:
        if not os.path.exists(file):
            pytest.fail(f"there is no {file}\ncure: make guests, tools/setup/fetch_arm64.sh, tools/image/mkdom0.py",
                        pytrace=False)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files:
            archive.add(file, os.path.basename(file))
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def start(booter, archive, **parts):
    """A control domain with the stock toolstack, at its shell, the archive unpacked in /tmp."""
    console = booter(xl=True, icount=True, smp=2, mem=3072, dom0_mem=1536, disks=[(str(archive), "mmio")], **parts)
    console.check("dmesg -n 1")
    console.check("tar -C /tmp -xf /dev/$(cd /sys/block; grep -l ^mmio0 vd*/serial | cut -d/ -f1)")
    return console


def machines(*params):
    """Each with the tests of its own in one process: two of them would write the same log."""
    return [pytest.param(param, marks=pytest.mark.xdist_group(f"xl-other-{param}")) for param in params]


@pytest.fixture(scope="module", name="bare", params=machines(2, 3), ids="gicv{}".format)
def fixture_bare(request, tmp_path_factory):
    """The console of a control domain with the bare-metal guests."""
    archive = tmp_path_factory.mktemp("bare") / "bare.tar"
    write_archive(archive, *bare_files())
    booter = Booter(request.config.getoption("--hyp"), f"test_xl_other-bare-gicv{request.param}")
    yield start(booter, archive, gic=request.param)
    booter.close()


def free_memory(console):
    return int(re.search(r"free_memory *: (\d+)", console.check("xl info")).group(1))


def wait_for(console, condition):
    """Until the shell's condition holds; a hang is noticed by a count of tries, not by time."""
    console.check(f"n=0; until {condition} || [ $n -ge 400 ]; do n=$((n + 1)); sleep 0.05; done; {condition}")


def wait_for_end(console, name, before):
    """Until the toolstack has cleared the guest away, and there are as many MiB, rounded down, as BEFORE it: its name goes first. A
    page or two may stay with dom0, and make it one less; to the page it is counted in test_xl_guests.py and others."""
    wait_for(console, f"! xl domid {name} >/dev/null 2>&1")
    wait_for(console, f"[ $(xl info | awk '$1 == \"free_memory\" {{ print $3 }}') -ge {before - 1} ]")


def run_to_its_end(console, name, last="^GUEST"):
    """Creates a guest that ends itself; gives what it printed, LAST being the last of it."""
    log = f"/var/log/xen/console/guest-{name}.log"
    before = free_memory(console)
    console.check(f"xl create /tmp/{name}.cfg")
    wait_for(console, f"grep -q '{last}' {log}")
    wait_for_end(console, name, before)
    return console.check(f"cat {log}")


@pytest.mark.parametrize("guest", BARE_METAL)
def test_bare_metal(bare, hyp, guest):
    text = run_to_its_end(bare, guest)
    assert re.search(r"^GUEST PASS [1-9]", text, re.MULTILINE), text
    if hyp == "bulkhead":
        assert "\nSKIP " not in "\n" + text


def test_writes_everywhere(bare):
    """Whatever it hits outside its memory is an abort of its own."""
    assert "GUEST PASS" in run_to_its_end(bare, "writes_everywhere")


def test_undefined_instruction(bare):
    """The guest's own handler is asked; it says what came and gives up."""
    assert re.search(r"unexpected exception cpu 0 vector 4 ESR 2000000 ", run_to_its_end(bare, "undefined", "unexpected exception"))


@pytest.mark.parametrize("guest", ["handler_faults", "spins"])
def test_spinning_guest(bare, guest):
    """It takes time, no more: the control domain goes on, and can end it."""
    before = free_memory(bare)
    bare.check(f"xl create /tmp/{guest}.cfg")
    wait_for(bare, f"grep -q ^now: /var/log/xen/console/guest-{guest}.log")
    spent = r"xl list | awk '/^%s / { print $NF }'" % guest
    first = bare.check(spent)
    wait_for(bare, f"[ $({spent}) != {first} ]")
    state = bare.check(f"xl list | awk '/^{guest} / {{ print $5 }}'")
    assert "c" not in state and "d" not in state
    bare.check(f"xl destroy {guest}")
    wait_for_end(bare, guest, before)


def test_crash_is_kept(bare):
    """on_crash = "preserve": the crashed guest is shown as that until somebody destroys it."""
    bare.check("xl create /tmp/crash.cfg")
    wait_for(bare, "xl list | grep -q '^crash .* [-s]*c- '")
    bare.check("xl destroy crash")
    assert "crash" not in bare.check("xl list")


@pytest.fixture(scope="module", name="linux", params=machines("6.1", "6.12"), ids="dom0-{}".format)
def fixture_linux(request, tmp_path_factory):
    """The console of a control domain with this kernel, and the newer kernel's guest at hand."""
    archive = tmp_path_factory.mktemp("linux") / "linux.tar"
    write_archive(archive, [os.path.join(BUILD, "peer", "vmlinuz-backports"),
                            os.path.join(BUILD, "dom0", "domu-backports.cpio.gz")], {"newer.cfg": NEWER_CFG})
    parts = {}
    if request.param == "6.12":
        parts = {"kernel": os.path.join(BUILD, "peer", "vmlinuz-backports"),
                 "initrd": os.path.join(BUILD, "dom0", "dom0-xl-backports.cpio.gz")}
    booter = Booter(request.config.getoption("--hyp"), f"test_xl_other-dom0-{request.param}")
    console = start(booter, archive, **parts)
    console.kernel = request.param
    yield console
    booter.close()


def check_disk(console, guest, disk):
    """The guest reads what the host put there; what it writes is in the control domain's file."""
    content = random.Random(disk).randbytes(8 * MIB)
    read = console.check(f"guest {guest} 'head -c {4 * MIB} /dev/xvda | sha256sum'")
    assert read.split()[0] == hashlib.sha256(content[:4 * MIB]).hexdigest()
    wrote = console.check(f"guest {guest} 'head -c {MIB} /dev/urandom > /tmp/r; sha256sum < /tmp/r; "
                          "dd if=/tmp/r of=/dev/xvda bs=1M seek=6 conv=fsync 2>/dev/null'")
    console.check("sync")
    assert console.check(f"dd if=/guests/{disk}.img bs=1M skip=6 count=1 2>/dev/null | sha256sum") == wrote


def test_older_and_newer_linux(linux):
    """A 6.1 and a 6.12 guest side by side, with disk and network, under either kernel as the control domain."""
    assert linux.check("uname -r").startswith(linux.kernel + ".")
    for config in ("/etc/xen/one.cfg", "/tmp/newer.cfg"):
        linux.check(f"xl create {config}")
    for guest, kernel, disk in (("one", "6.1.", "one"), ("newer", "6.12.", "two")):
        linux.check(f"guest {guest} --wait")
        linux.check(f"guest {guest} 'dmesg -n 1'")      # its kernel's words would stand between the others
        assert linux.check(f"guest {guest} 'uname -r'").startswith(kernel)
        check_disk(linux, guest, disk)
        linux.check(f"guest {guest} 'ping -c 3 -A 192.168.77.1'")
    linux.check("guest newer 'ping -c 3 -A 192.168.77.11'")
    for guest in ("one", "newer"):
        linux.check(f"xl shutdown -w {guest}")
        wait_for(linux, f"! xl domid {guest} >/dev/null 2>&1")
