# SPDX-License-Identifier: Apache-2.0
"""PCI functions for guests of the stock xl: pci=, pci-attach, pci-detach, pci-assignable-*, behind an SMMUv3.

One machine with an NVMe disk, an e1000e card, a virtio disk and a virtio network card; stock Linux guests drive them with their own
drivers and messages through the virtual ITS (examples/pci/guest.dts). PCI_LIVES in the environment says how many guests
have the disk one after the other and end while they use it; the usual number is what a test may take on a shared machine.
"""
import hashlib
import os
import random
import re

import pytest
from conftest import LOGS, ROOT
from domains import compile_tree
from run import BUILD
from xl import run_steps, step
from xl_domu import LEFT, noted, output, settled

pytestmark = pytest.mark.xdist_group("xl-pci")

LIVES = int(os.environ.get("PCI_LIVES", "10"))
MIB = 1 << 20
DISK = 16 * MIB             # the NVMe disk, its halves known to and written by the guest
HALF = DISK // 2
TFTP_SIZE = MIB
NVME, E1000E, BLOCK, NET, PORT, SMALL, OTHER = (f"0000:00:0{number}.0" for number in range(3, 10))
MACHINE = ",iommu=smmuv3"
INITRD = os.path.join(BUILD, "dom0", "dom0-pci.cpio.gz")
TREE = os.path.join(ROOT, "examples", "pci", "guest.dts")
TOOL = os.path.join(ROOT, "tools", "audit", "bulkhead-audit")
TEXT = """name = "{name}"
kernel = "/guests/vmlinuz"
ramdisk = "/root/domu-pci.cpio.gz"
extra = "console=hvc0 rdinit=/init guest={name} cma=0 panic=-1 loglevel=1"
memory = 192
vcpus = {vcpus}
on_reboot = "destroy"
passthrough = "enabled"
device_tree = "/root/guest.dtb"
pci = [ {functions} ]
"""
AUDIT = "sh /run/bulkhead-audit"
END = "xl destroy {0}; while xl domid {0} >/dev/null 2>&1; do sleep 0.05; done; rm /var/log/xen/console/guest-{0}.log"
START = "xl create -q /etc/xen/{0}.cfg && guest {0} --wait"
# In a guest. A disk's driver makes its device some time after it has found it.
WAIT = "until [ -b /dev/{0} ]; do sleep 0.05; done"
MESSAGES = "grep ITS-MSI /proc/interrupts"
FETCH = ("ip link set dev {0} up; ip addr add {1}.15/24 dev {0}; for i in 1 2 3; do "
         "tftp -g -b 1024 -r file -l /tmp/file {1}.2 2>/dev/null && break; sleep 1; done; "
         "sha256sum /tmp/file; ip addr del {1}.15/24 dev {0}")
FETCH_E1000E = "n=$(basename /sys/bus/pci/drivers/e1000e/*:*/net/*); " + FETCH.format("$n", "10.0.3")
FETCH_VIRTIO = "n=$(basename /sys/bus/virtio/drivers/virtio_net/*/net/*); " + FETCH.format("$n", "10.0.4")
# dom0's tools do not reset the disk: what it forgets is Bulkhead's work. Its control (CC) and state (CSTS) after a guest.
NO_RESET = f"echo >/sys/bus/pci/devices/{NVME}/reset_method; cat /sys/bus/pci/devices/{NVME}/reset_method"
NVME_STATE = (f"d=/sys/bus/pci/devices/{NVME}; read bar rest <$d/resource; "
              r"c() { printf $1 | dd of=$d/config bs=1 seek=4 conv=notrunc 2>/dev/null; }; c '\2\4'; "
              r"devmem $((bar + 20)) 32; devmem $((bar + 28)) 32; c '\0\4'")
REREAD = f"echo 3 >/proc/sys/vm/drop_caches; head -c {HALF} /dev/nvme0n1 | sha256sum"


def busy(command):
    """With something else to do: while all CPUs idle, the instruction clock goes from timer to timer, and the limits of the
    disk's driver, 30 s and 30 s more, are over before the host's disk has answered."""
    return f"({{ while :; do :; done; }} & busy=$!; {command}; status=$?; kill $busy; exit $status)"


def known_bytes(seed, size):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def guest(name, *functions, vcpus=1):
    functions = ", ".join(f'"{function}"' for function in functions)
    return f"/etc/xen/{name}.cfg", TEXT.format(name=name, vcpus=vcpus, functions=functions).encode()


def plain():
    """One that is not told of its bridge: it has the toolstack's own, which is empty."""
    path, text = guest("plain", NVME)
    return path, re.sub(rb"device_tree.*\n", b"", text)


def inside(name, command):
    assert "'" not in command
    return f"guest {name} '{command}'"


def files():
    with open(TREE, encoding="utf-8") as file:
        tree = compile_tree(file.read(), os.path.join(BUILD, "trees"))
    with open(tree, "rb") as file:
        found = [("/root/guest.dtb", file.read())]
    with open(TOOL, "rb") as file:
        return found + [("/run/bulkhead-audit", file.read())]


def cards(name):
    """(QEMU's arguments for all cards, the NVMe disk's file)"""
    folder = os.path.join(LOGS, name)
    os.makedirs(os.path.join(folder, "tftp"), exist_ok=True)
    for path, data in (("nvme.img", known_bytes("nvme", DISK)), ("block.img", known_bytes("block", MIB)),
                       ("tftp/file", known_bytes("tftp", TFTP_SIZE))):
        with open(os.path.join(folder, path), "wb") as file:
            file.write(data)
    behind = "iommu_platform=on,disable-legacy=on"
    drive = "if=none,format=raw,cache=unsafe"
    net = f"restrict=on,tftp={folder}/tftp"
    words = ["-drive", f"{drive},id=nvm,file={folder}/nvme.img", "-device", "nvme,drive=nvm,serial=nvm,addr=3",
             "-netdev", f"user,id=net3,net=10.0.3.0/24,{net}", "-device", "e1000e,netdev=net3,addr=4,romfile=",
             "-drive", f"{drive},id=block,file={folder}/block.img", "-device", f"virtio-blk-pci,drive=block,addr=5,{behind}",
             "-netdev", f"user,id=net4,net=10.0.4.0/24,{net}", "-device", f"virtio-net-pci,netdev=net4,addr=6,romfile=,{behind}",
             "-device", "pcie-root-port,id=bridge,chassis=1,addr=7", "-device", "rtl8139,addr=8,romfile=",
             "-device", "edu,addr=9"]
    return words, os.path.join(folder, "nvme.img")


def run(hyp, name, steps, configs, smmu=True, **parts):
    """(results, the NVMe disk's file)"""
    if hyp == "xen":
        pytest.skip("Debian's Xen gives no PCI functions away on Arm")
    words, disk = cards(name)
    if smmu:
        words += ["-global", "arm-smmuv3.stage=2"]
    results = run_steps(hyp, name, steps, files() + configs, initrd=INITRD, smp=2, board_options=MACHINE if smmu else "",
                        extra=words, **parts)
    return results, disk


def held(*functions):
    return "modprobe xen-pciback; " + " && ".join(f"xl pci-assignable-add {one}" for one in functions)


def counts(text):
    """{name of a line of /proc/interrupts: how often} of lines that the ITS raises."""
    return {line.split()[-1]: sum(int(word) for word in line.split()[1:] if word.isdigit()) for line in text.split("\n")
            if "ITS-MSI" in line}


LOAD = "while :; do dd if=/dev/nvme0n1 of=/dev/null bs=64k iflag=direct; done >/dev/null 2>&1 &"
# The drivers say nothing of a disk that has gone, or much; what counts is that the guest answers.
GONE = "for d in /sys/bus/pci/drivers/nvme/*:*; do echo 1 >$d/remove; done"


def steps_of_one():
    """The disk's guest."""
    return [
        step("dom0-before", busy("modprobe nvme; modprobe e1000e; " + WAIT.format("nvme0n1") + "; sha256sum </dev/nvme0n1")),
        step("hold", held(NVME, E1000E, BLOCK, NET)),
        step("no-reset", NO_RESET),
        step("assignable", "xl pci-assignable-list | sort; ls /dev/nvme*"),
        step("create", START.format("one")),
        step("lspci", inside("one", "cat /sys/bus/pci/drivers/nvme/*:*/uevent; ls /sys/bus/pci/devices")),
        step("interrupts", inside("one", WAIT.format("nvme0n1") + "; " + MESSAGES)),
        step("read", inside("one", f"head -c {HALF} /dev/nvme0n1 | sha256sum")),
        step("write", inside("one", f"head -c {HALF} /dev/urandom >/tmp/noise; sha256sum </tmp/noise; "
                             "dd if=/tmp/noise of=/dev/nvme0n1 bs=256k seek=32 conv=fsync,notrunc 2>/dev/null")),
        step("again", inside("one", f"echo 3 >/proc/sys/vm/drop_caches; tail -c {HALF} /dev/nvme0n1 | sha256sum")),
        step("interrupts-after", inside("one", MESSAGES)),
        step("audit-one", AUDIT),
    ]


def steps_of_two():
    """Another guest with other functions, and all at work at the same time; what is refused meanwhile."""
    load = (f"n=0; while [ $n -lt 3 ]; do {REREAD}; n=$((n + 1)); done | sort -u")
    return [
        step("create-two", START.format("two")),
        step("resets", "xl dmesg | sed -n 's/^(BH) .*has PCI/:/p' | sort -u"),
        step("both", f"{inside('one', load)} >/run/one.out & {inside('two', FETCH_E1000E)}; wait; cat /run/one.out"),
        step("net", inside("two", FETCH_VIRTIO)),
        step("block", inside("two", WAIT.format("vda") + "; sha256sum </dev/vda")),
        step("interrupts-two", inside("two", MESSAGES)),
        step("audit-two", AUDIT),
        step("same", "xl create -q /etc/xen/same.cfg"),
        step("not-held", "xl create -q /etc/xen/other.cfg"),
        step("take-away", f"xl pci-assignable-remove {NVME}"),
        step("still-there", inside("one", REREAD)),
        step("bridge", f"xl pci-assignable-add {PORT}"),
        step("small", f"xl pci-assignable-add {SMALL} && xl create -q /etc/xen/small.cfg"),
        step("small-why", "xl dmesg | grep 'not for guests' | tail -1 | sed 's/^(BH)/:/'"),
        step("small-back", f"xl pci-assignable-remove -r {SMALL}"),
        step("end-two", END.format("two")),
    ]


def steps_of_hotplug():
    found = "echo 1 >/sys/bus/pci/rescan; " + WAIT.format("nvme0n1") + "; " + REREAD
    return [
        step("detach", inside("one", GONE) + f" && xl pci-detach one {NVME} && xl pci-list one && xl pci-assignable-list"),
        step("audit-detached", AUDIT),
        step("attach", f"xl pci-attach one {NVME} && xl pci-list one && " + inside("one", found)),
        step("surprise", inside("one", LOAD) + f"; xl pci-detach one {NVME} && " + inside("one", "echo alive")),
        step("end-one", END.format("one")),
        step("audit-none", AUDIT),
        step("plain", START.format("plain") + " && " + inside("plain", "ls /sys/bus/pci/devices | wc -l") + " && "
             + END.format("plain")),
    ]


def steps_of_lives():
    return [step(f"life-{number}", START.format("one") + " && " + inside("one", WAIT.format("nvme0n1") + "; " + REREAD) + " && "
                 + inside("one", LOAD) + f" && sleep 0.{number % 5} && " + END.format("one")) for number in range(LIVES)]


def steps_of_end():
    return [
        step("clean", NVME_STATE),
        # LEFT empties the log: here is all since the first of it.
        step("faults", "xl dmesg | sed 's/^(BH)/:/' | grep -E 'refused by|answer|nobody'; true"),
        step("after", settled(LEFT)),
        step("audit-end", AUDIT),
        step("back", busy(" && ".join(f"xl pci-assignable-remove -r {one}" for one in (NVME, E1000E, BLOCK, NET)))),
        step("dom0-after", busy(WAIT.format("nvme0n1") + f"; head -c {HALF} /dev/nvme0n1 | sha256sum; "
                                f"tail -c {HALF} /dev/nvme0n1 | sha256sum; {FETCH_E1000E}")),
    ]


@pytest.fixture(scope="module", name="ran")
def fixture_ran(request):
    warm_up = [step("warm-up", START.format("one") + " && " + END.format("one")), step("before", noted(LEFT))]
    first, *rest = steps_of_one()
    steps = [first, *rest[:3], *warm_up, *rest[3:], *steps_of_two(), *steps_of_hotplug(), *steps_of_lives(), *steps_of_end()]
    configs = [guest("one", NVME, vcpus=2), guest("two", E1000E, BLOCK, NET), guest("same", NVME),
               guest("other", OTHER), guest("small", SMALL), plain()]
    return run(request.config.getoption("--hyp"), "xl-pci", steps, configs)


def lines(results, name):
    """Without complaints of dom0's tools that they cannot reset the disk: see NO_RESET."""
    return [line for line in output(results, name).split("\n") if "libxl__device_pci_reset" not in line]


def first_word(results, name):
    return lines(results, name)[0].split()[0]


def test_held(ran):
    """Bound to xen-pciback, and nobody's: dom0's own drivers had them."""
    results = ran[0]
    assert first_word(results, "dom0-before") == sha256(known_bytes("nvme", DISK))
    output(results, "hold")
    assert [word for word in results["assignable"].output.split() if word.startswith("0000:")] == [NVME, E1000E, BLOCK, NET]
    assert "/dev/nvme0" not in results["assignable"].output.split()


def test_disk(ran):
    """The stock driver in a stock guest: every byte right both ways, by messages through the virtual ITS."""
    results = ran[0]
    for name in ("create", "lspci"):
        output(results, name)
    assert first_word(results, "read") == sha256(known_bytes("nvme", DISK)[:HALF])
    assert first_word(results, "again") == first_word(results, "write")
    before, after = (counts(output(results, name)) for name in ("interrupts", "interrupts-after"))
    queues = [name for name in after if re.match("nvme0q[1-9]", name)]
    assert "nvme0q0" in after and queues, after
    # The kernel reads 128 KiB ahead, twice at a time at most: of 8 MiB read twice at least 64 end by themselves.
    assert sum(after[name] - before.get(name, 0) for name in queues) > 50


def test_two_guests(ran):
    """Each has its own functions, both at work at a time."""
    results = ran[0]
    output(results, "create-two")
    fetched, read = (line.split()[0] for line in output(results, "both").split("\n"))
    assert fetched == sha256(known_bytes("tftp", TFTP_SIZE))
    assert read == sha256(known_bytes("nvme", DISK)[:HALF])
    assert first_word(results, "net") == sha256(known_bytes("tftp", TFTP_SIZE))
    assert first_word(results, "block") == sha256(known_bytes("block", MIB))
    raised = counts(output(results, "interrupts-two"))
    assert sum(count for name, count in raised.items() if name.startswith("eth")) > 100, raised
    assert sum(count for name, count in raised.items() if "put" in name) > 100, raised
    assert sum(count for name, count in raised.items() if "-req" in name) > 0, raised


def failed(results, name, what):
    assert results[name].status != 0, name
    assert what in results[name].output, f"{name}: {results[name].output}"


def test_refused(ran):
    """One owner; only what is held; not from under a guest; no bridges."""
    results = ran[0]
    failed(results, "same", "PCI device 0:0:3.0 is not assignable")
    failed(results, "not-held", "PCI device 0:0:9.0 is not assignable")
    failed(results, "take-away", f"failed to de-quarantine {NVME}")
    assert first_word(results, "still-there") == sha256(known_bytes("nvme", DISK)[:HALF])
    failed(results, "bridge", f"failed to quarantine {PORT}")
    failed(results, "small", "xc_assign_device failed")
    assert output(results, "small-why") == f": PCI {SMALL}: not for guests: a BAR is smaller than a page"
    output(results, "small-back")


def test_detach_and_attach(ran):
    results = ran[0]
    output(results, "end-two")
    assert NVME in output(results, "detach")
    attached = lines(results, "attach")
    assert NVME in attached[1] and attached[-1].split()[0] == sha256(known_bytes("nvme", DISK)[:HALF])
    assert output(results, "surprise").endswith("alive")
    output(results, "end-one")


def test_without_its_bridge(ran):
    assert lines(ran[0], "plain") == ["0"]


def test_lives(ran):
    """Guests that end in the middle of a transfer; the next one finds the disk as it should be."""
    for number in range(LIVES):
        assert first_word(ran[0], f"life-{number}") == sha256(known_bytes("nvme", DISK)[:HALF]), number


def test_reset_for_the_next_owner(ran):
    """The disk is stopped and forgets, though dom0 does not reset it; the log says which cannot."""
    results = ran[0]
    assert output(results, "no-reset") == ""
    assert output(results, "clean").split() == ["0x00000000", "0x00000000"]
    log = output(results, "resets").split("\n")
    assert f": {NVME}" in log and f": {BLOCK}, which has no reset of its own" in log, log


def test_nothing_is_left(ran):
    """Nor did a function reach for what is not its guest's any more."""
    results = ran[0]
    assert output(results, "faults") == ""
    assert output(results, "after") == output(results, "before")


def test_audits(ran):
    for name in ("one", "two", "detached", "none", "end"):
        assert '"verdict": "PASS"' in output(ran[0], f"audit-{name}"), name


def test_back_to_the_control_domain(ran):
    """Its own drivers find what the guests wrote; so does the host."""
    results, disk = ran
    output(results, "back")
    first, second, fetched = (line.split()[0] for line in output(results, "dom0-after").split("\n"))
    assert first == sha256(known_bytes("nvme", DISK)[:HALF])
    assert second == first_word(results, "write")
    assert fetched == sha256(known_bytes("tftp", TFTP_SIZE))
    with open(disk, "rb") as file:
        assert sha256(file.read(HALF)) == first
        assert sha256(file.read()) == second


LOG = step("log", "xl dmesg | sed 's/^(BH)/:/'")
CREATE = step("create", "xl create -q /etc/xen/one.cfg")


def test_without_an_smmu(hyp):
    """A function that could reach all memory is nobody's but the control domain's."""
    results, _ = run(hyp, "xl-pci-bare", [step("hold", held(NVME)), CREATE], [guest("one", NVME)], smmu=False)
    failed(results, "hold", f"failed to quarantine {NVME}")
    assert results["create"].status != 0


def test_without_an_its(hyp):
    """A GICv2, and a line that two functions share: nothing would tell the guest of its one."""
    results, _ = run(hyp, "xl-pci-gicv2", [step("hold", held(E1000E)), CREATE, LOG], [guest("one", E1000E)], gic=2)
    failed(results, "create", "xc_assign_device failed")
    assert f"PCI {E1000E}: not for guests: its interrupt is that of {SMALL}, too" in output(results, "log")
