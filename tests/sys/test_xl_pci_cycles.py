# SPDX-License-Identifier: Apache-2.0
"""A PCI function that goes from one guest of the stock xl to the next, again and again, each ended at its work.

Bare-metal guests (guests/domu_dma.c) with QEMU's "edu" card behind an SMMUv3: its DMA is under way for 0.1 s of virtual time each
time, so that an end at any moment is an end in the middle of a transfer. Stock Linux guests' lives with an NVMe disk are
test_xl_pci.py's. PCI_CYCLES in the environment says how many; with those there 50 is the usual number.
"""
import os
import random

import pytest
from conftest import ROOT
from domains import compile_tree
from run import BUILD
from test_xl_pci import AUDIT, INITRD, MACHINE, TOOL, TREE, held
from xl import run_steps, step
from xl_domu import LEFT, noted, output, settled

pytestmark = pytest.mark.xdist_group("xl-pci-cycles")

CYCLES = int(os.environ.get("PCI_CYCLES", "40"))
DETACHED = 4                # of so many the last loses the function unasked before it ends
CARD = "0000:00:03.0"
CONFIG = f"""name = "own"
kernel = "/root/domu_dma"
extra = "own"
memory = 16
passthrough = "enabled"
device_tree = "/root/guest.dtb"
pci = [ "{CARD}" ]
""".encode()
LOG = "/var/log/xen/console/guest-own.log"
WORKS = f"until grep -qE '^(PASS|FAIL) own_memory|^GUEST' {LOG}; do sleep 0.05; done"
START = f"rm -f {LOG}; xl create -q /etc/xen/own.cfg && {WORKS}"
END = f"xl destroy own; while xl domid own >/dev/null 2>&1; do sleep 0.05; done; cat {LOG}"
FAULTS = "xl dmesg | sed 's/^(BH)/:/' | grep -E 'refused by|answer|nobody|left out'; true"


def cycle(number, rng):
    detach = f"xl pci-detach own {CARD} && " if number % DETACHED == DETACHED - 1 else ""
    return step(f"cycle-{number}", f"{START} && sleep {rng.random() / 8:.3f} && {detach}{END}")


@pytest.fixture(scope="module", name="ran")
def fixture_ran(request):
    hyp = request.config.getoption("--hyp")
    if hyp == "xen":
        pytest.skip("Debian's Xen gives no PCI functions away on Arm")
    image = os.path.join(ROOT, "build", "guests", "domu_dma.bin")
    if not os.path.exists(image):
        pytest.fail(f"there is no {image}\ncure: make guests", pytrace=False)
    with open(TREE, encoding="utf-8") as file:
        tree = compile_tree(file.read(), os.path.join(BUILD, "trees"))
    files = [("/etc/xen/own.cfg", CONFIG)]
    for path, name in ((tree, "/root/guest.dtb"), (TOOL, "/run/bulkhead-audit"), (image, "/root/domu_dma")):
        with open(path, "rb") as file:
            files.append((name, file.read()))
    rng = random.Random(CYCLES)
    steps = [step("hold", held(CARD)), step("warm-up", f"{START} && {END}"), step("before", "sleep 3; " + noted(LEFT)),
             *[cycle(number, rng) for number in range(CYCLES)],
             step("faults", FAULTS), step("after", settled(LEFT)), step("audit", AUDIT),
             step("back", f"xl pci-assignable-remove {CARD}")]
    return run_steps(hyp, "xl-pci-cycles", steps, files, initrd=INITRD, smp=1, board_options=MACHINE,
                     extra=["-global", "arm-smmuv3.stage=2", "-device", "edu,dma_mask=0xffffffffffffffff,addr=3"])


def test_cycles(ran):
    """Each finds the function as it should be, and every word that went through it."""
    for number in range(CYCLES):
        said = output(ran, f"cycle-{number}")
        assert "PASS own_memory" in said and "FAIL" not in said, f"{number}: {said}"


def test_nothing_is_left(ran):
    """Nor did the function reach for what is not its guest's any more."""
    assert output(ran, "faults") == ""
    assert output(ran, "after") == output(ran, "before")
    assert '"verdict": "PASS"' in output(ran, "audit")
    output(ran, "back")
