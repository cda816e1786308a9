# SPDX-License-Identifier: Apache-2.0
"""PCI functions for guests of the stock xl by their interrupt pins: on a GICv2, where there are no messages, and on a GICv3 with a
guest that takes none (pci=nomsi).

An NVMe disk and an e1000e card that have lines of their own, and two cards that share one.
"""
import os
import re

import pytest
from conftest import LOGS
from test_xl_pci import AUDIT, DISK, END, FETCH_E1000E, GONE, HALF, LOAD, LOG, MIB, REREAD, START, TFTP_SIZE, WAIT
from test_xl_pci import INITRD, MACHINE, busy, failed, files, first_word, guest, held, inside, known_bytes, sha256
from xl import run_steps, step
from xl_domu import LEFT, noted, output, settled

pytestmark = pytest.mark.xdist_group("xl-pci")

LIVES = 2
NVME, E1000E, EDU, OTHER_EDU = "0000:00:03.0", "0000:00:04.0", "0000:00:05.0", "0000:00:09.0"
LINES = 'grep -e nvme -e eth /proc/interrupts'
# dom0's own driver, told to take no messages.
BY_PIN = "modprobe -r e1000e; modprobe e1000e IntMode=0; " + FETCH_E1000E + "; grep eth /proc/interrupts"


def cards(name):
    """(QEMU's arguments, the disk's file)"""
    folder = os.path.join(LOGS, name)
    os.makedirs(os.path.join(folder, "tftp"), exist_ok=True)
    for path, data in (("nvme.img", known_bytes("nvme", DISK)), ("tftp/file", known_bytes("tftp", TFTP_SIZE))):
        with open(os.path.join(folder, path), "wb") as file:
            file.write(data)
    words = ["-drive", f"if=none,format=raw,cache=unsafe,id=nvm,file={folder}/nvme.img",
             "-device", "nvme,drive=nvm,serial=nvm,addr=3",
             "-netdev", f"user,id=net3,net=10.0.3.0/24,restrict=on,tftp={folder}/tftp",
             "-device", "e1000e,netdev=net3,addr=4,romfile=",
             "-device", "edu,addr=5", "-device", "edu,addr=9", "-global", "arm-smmuv3.stage=2"]
    return words, os.path.join(folder, "nvme.img")


def without_messages(name, *functions, vcpus=1):
    path, text = guest(name, *functions, vcpus=vcpus)
    return path, text.replace(b"loglevel=1", b"loglevel=1 pci=nomsi")


def steps():
    found = "echo 1 >/sys/bus/pci/rescan; " + WAIT.format("nvme0n1") + "; " + REREAD
    first, *lives = [step(f"life-{number}", START.format("one") + " && " + inside("one", WAIT.format("nvme0n1") + "; " + REREAD)
                          + " && " + inside("one", LOAD) + f" && sleep 0.{number + 1} && " + END.format("one"))
                     for number in range(LIVES)]
    return [
        step("dom0-before", busy("modprobe nvme; modprobe e1000e; " + WAIT.format("nvme0n1") + "; head -c 1 /dev/nvme0n1 | wc -c")),
        step("hold", held(NVME, E1000E, EDU)),
        first,
        step("before", "sleep 3; " + noted(LEFT)),
        step("create", START.format("one")),
        step("interrupts", inside("one", WAIT.format("nvme0n1") + "; " + LINES)),
        step("read", inside("one", f"head -c {HALF} /dev/nvme0n1 | sha256sum")),
        step("write", inside("one", f"head -c {HALF} /dev/urandom >/tmp/noise; sha256sum </tmp/noise; "
                             "dd if=/tmp/noise of=/dev/nvme0n1 bs=256k seek=32 conv=fsync,notrunc 2>/dev/null")),
        step("again", inside("one", f"echo 3 >/proc/sys/vm/drop_caches; tail -c {HALF} /dev/nvme0n1 | sha256sum")),
        step("interrupts-after", inside("one", LINES)),
        step("create-two", START.format("two")),
        step("both", f"{inside('one', REREAD)} >/run/one.out & {inside('two', FETCH_E1000E)}; wait; cat /run/one.out"),
        step("interrupts-two", inside("two", LINES)),
        step("audit-two", AUDIT),
        step("shared", "xl create -q /etc/xen/shared.cfg"),
        step("shared-why", "xl dmesg | grep 'not for guests' | tail -1 | sed 's/^(BH)/:/'"),
        step("end-two", END.format("two")),
        step("detach", inside("one", GONE) + f" && xl pci-detach one {NVME} && xl pci-list one"),
        step("audit-detached", AUDIT),
        step("attach", f"xl pci-attach one {NVME} && " + inside("one", found)),
        step("surprise", inside("one", LOAD) + f"; xl pci-detach one {NVME} && " + inside("one", "echo alive")),
        step("end-one", END.format("one")),
        *lives,
        step("faults", "xl dmesg | sed 's/^(BH)/:/' | grep -E 'refused by|answer|nobody|cannot have'; true"),
        step("after", settled(LEFT)),
        step("audit-end", AUDIT),
        step("back", busy(" && ".join(f"xl pci-assignable-remove -r {one}" for one in (NVME, E1000E, EDU)))),
        step("dom0-after", busy(WAIT.format("nvme0n1") + f"; tail -c {HALF} /dev/nvme0n1 | sha256sum; {BY_PIN}")),
        LOG,
    ]


def run(hyp, name, gic, wanted, configs):
    """(results, the disk's file)"""
    if hyp == "xen":
        pytest.skip("Debian's Xen gives no PCI functions away on Arm")
    words, disk = cards(name)
    return run_steps(hyp, name, wanted, files() + configs, initrd=INITRD, smp=2, gic=gic, board_options=MACHINE, extra=words), disk


@pytest.fixture(scope="module", name="ran")
def fixture_ran(request):
    configs = [guest("one", NVME, vcpus=2), guest("two", E1000E), guest("shared", EDU)]
    return run(request.config.getoption("--hyp"), "xl-pci-intx", 2, steps(), configs)


def counts(text):
    """{name: how often} of level-sensitive lines of a guest's controller."""
    found = {}
    for line in text.split("\n"):
        words = line.split()
        assert re.search(" GIC(-0|v3) +[0-9]+ Level ", line), line
        found[words[-1]] = sum(int(word) for word in words[1:] if word.isdigit()) - int(words[words.index("Level") - 1])
    return found


def test_disk(ran):
    """The stock driver in a stock guest, by the one line of its device: every byte right both ways."""
    results = ran[0]
    for name in ("dom0-before", "hold", "create"):
        output(results, name)
    assert first_word(results, "read") == sha256(known_bytes("nvme", DISK)[:HALF])
    assert first_word(results, "again") == first_word(results, "write")
    before, after = (counts(output(results, name)) for name in ("interrupts", "interrupts-after"))
    assert sum(after.values()) - sum(before.values()) > 50, (before, after)


def test_two_guests(ran):
    """Each has its own line, both at work at a time."""
    results = ran[0]
    output(results, "create-two")
    fetched, read = (line.split()[0] for line in output(results, "both").split("\n"))
    assert fetched == sha256(known_bytes("tftp", TFTP_SIZE))
    assert read == sha256(known_bytes("nvme", DISK)[:HALF])
    assert sum(counts(output(results, "interrupts-two")).values()) > 100


def test_shared_line(ran):
    """Refused: nothing else would tell the guest of its function."""
    results = ran[0]
    failed(results, "shared", "xc_assign_device failed")
    assert output(results, "shared-why") == f": PCI {EDU}: not for guests: its interrupt is that of {OTHER_EDU}, too"
    output(results, "end-two")


def test_detach_and_attach(ran):
    results = ran[0]
    output(results, "detach")
    assert first_word(results, "attach") == sha256(known_bytes("nvme", DISK)[:HALF])
    assert output(results, "surprise").endswith("alive")
    output(results, "end-one")


def test_lives(ran):
    """Guests that end in the middle of a transfer, some with the line active."""
    for number in range(LIVES):
        assert first_word(ran[0], f"life-{number}") == sha256(known_bytes("nvme", DISK)[:HALF]), number


def test_nothing_is_left(ran):
    results = ran[0]
    assert output(results, "faults") == ""
    assert output(results, "after") == output(results, "before")
    for name in ("two", "detached", "end"):
        assert '"verdict": "PASS"' in output(results, f"audit-{name}"), name


def test_back_to_the_control_domain(ran):
    """Its own drivers find what the guests wrote, and take the card's line again."""
    results, disk = ran
    output(results, "back")
    written, fetched, *lines = output(results, "dom0-after").split("\n")
    assert written.split()[0] == first_word(results, "write")
    assert fetched.split()[0] == sha256(known_bytes("tftp", TFTP_SIZE))
    assert sum(counts("\n".join(lines)).values()) > 100, lines
    with open(disk, "rb") as file:
        file.seek(HALF)
        assert sha256(file.read()) == first_word(results, "write")


def test_beside_messages(hyp):
    """A machine with an ITS: a guest may do without messages (pci=nomsi), one with a shared line works by them alone."""
    names = ["dom0-before", "hold", "create", "interrupts", "read", "interrupts-after", "shared", "surprise", "end-one", "faults",
             "audit-end"]
    pin = ("for d in /sys/bus/pci/devices/*; do grep -q 0x1234 $d/vendor && dd if=$d/config bs=1 skip=61 count=1 2>/dev/null; done | "
           "od -An -tu1; ls /sys/bus/pci/devices/*/irq | wc -l")
    named = {one.name: one for one in steps()}
    wanted = [named[name] for name in names]
    wanted.insert(names.index("surprise"), step("pin", "guest shared --wait && " + inside("shared", pin) + " && xl destroy shared"))
    results, _ = run(hyp, "xl-pci-intx-its", 3, wanted, [without_messages("one", NVME, vcpus=2), guest("shared", EDU)])
    for name in ("hold", "create", "shared"):
        output(results, name)
    assert first_word(results, "read") == sha256(known_bytes("nvme", DISK)[:HALF])
    before, after = (counts(output(results, name)) for name in ("interrupts", "interrupts-after"))
    assert sum(after.values()) - sum(before.values()) > 20, (before, after)
    assert output(results, "pin").split()[:2] == ["0", "1"]
    assert output(results, "surprise").endswith("alive")
    output(results, "end-one")
    assert output(results, "faults") == ""
    assert '"verdict": "PASS"' in output(results, "audit-end")
