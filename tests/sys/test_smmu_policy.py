# SPDX-License-Identifier: Apache-2.0
"""A domain whose device tries to reach what is not its own: what becomes of it, by iommu_fault=, and of its neighbours.

QEMU's PCI host, behind its SMMUv3, is a boot-time domain's with all that is on it: its windows are in "reg" here, which is
what a domain can be given.
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain, compile_tree
from test_static import require, text_of

pytestmark = pytest.mark.xen_cannot("its SMMUv3 driver is not built, and iommu_fault= is ours")

DMA = os.path.join(ROOT, "build", "guests", "static_dma.bin")
LOOP = os.path.join(ROOT, "build", "guests", "restart.bin")
HOST = "/pcie@10000000"
MACHINE = {"gic": 3, "board_options": ",iommu=smmuv3,highmem=off", "reboot": False,
           "extra": ["-global", "arm-smmuv3.stage=2", "-device", "edu,dma_mask=0xffffffffffffffff"],
           "tree": f"{HOST[1:]} {{ xen,passthrough; reg = <0 0x3f000000 0 0x1000000>, <0 0x10000000 0 0x100000>; }};"}
AGAIN = 'bulkhead,on-crash = "restart"; bulkhead,restart-limit = <2>; bulkhead,restart-backoff-ms = <1>;'
REFUSED = r"stream 0x8 \(" + HOST + r"\) writes 0x4ff00000: refused by SMMUv3: nothing is mapped there"
LATE = (r"\(BH\) nobody: stream 0x8 \(" + HOST + r"\) accesses 0: refused by SMMUv3: the device is nobody's").encode()
CRASHES = "(BH) dma crashes: its device tried to reach what is not its own"
REPORTS = 5             # of the neighbour: a tenth of a second each


def dma_domain(**parts):
    """A domain with QEMU's PCI host and the card on it, where the machine has them."""
    require(DMA)
    tree = f"""/dts-v1/;
/ {{
    #address-cells = <2>; #size-cells = <2>;
    passthrough {{
        compatible = "simple-bus"; ranges; #address-cells = <2>; #size-cells = <2>;
        pcie@3f000000 {{
            compatible = "pci-host-ecam-generic"; device_type = "pci"; reg = <0 0x3f000000 0 0x1000000>;
            xen,path = "{HOST}"; xen,reg = <0 0x3f000000 0 0x1000000 0 0x3f000000>, <0 0x10000000 0 0x100000 0 0x10000000>;
        }};
    }};
}};"""
    return Domain("dma", DMA, devices=compile_tree(tree, os.path.join(ROOT, "build", "trees")), **parts)


@pytest.mark.parametrize("policy", ("log", "crash"))
def test_fault(boot, policy):
    """One of two domains: it goes on, or ends, begins again as often as it may and stays down; the other one lives.

    On one CPU the unit's interrupt is there before the guest sees that the card is done.
    """
    require(LOOP)
    console = boot(**MACHINE, wait=False, kernel=None, initrd=None, smp=1, mem=1024, hyp_args=f"iommu_fault={policy}",
                   domains=[dma_domain(text=AGAIN), Domain("loop", LOOP, bootargs="loop")])
    if policy == "crash":
        console.expect(rb"dma ended: reason 3 \(crash\), after 2 restarts in a row, its limit: it stays down", idle=240)
    else:
        console.expect(rb"GUEST PASS", idle=240)
    for _ in range(REPORTS):
        console.expect(rb"\(loop\) \d+ ticks", idle=240)
    console.close()
    text = text_of(console)
    assert re.search(REFUSED, text)
    lives = 3 if policy == "crash" else 0
    assert text.count(CRASHES) == lives
    assert text.count("dma: outside now") == (lives or 1)
    assert text.count("dma: still here") == (0 if lives else 1)


def test_destroyed_while_it_works(boot):
    """The card goes on when its domain has ended: what it does then is refused, is nobody's, and hits nobody."""
    require(LOOP)
    console = boot(**MACHINE, wait=False, kernel=DMA, initrd=None, smp=2, mem=1024, dom0_mem=256, dom0_vcpus=1, icount=True,
                   hyp_args="iommu_fault=crash", dom0_args="destroy",
                   domains=[dma_domain(bootargs="own"), Domain("loop", LOOP, bootargs="loop")])
    console.expect(rb"dma: destroyed", idle=240)
    console.expect(LATE, idle=240)
    console.expect(rb"dma: over", idle=240)
    for _ in range(2):
        console.expect(rb"\(loop\) \d+ ticks", idle=240)
    assert console.expect(rb"GUEST (PASS|FAIL)", idle=240).group(1) == b"PASS", console.tail()
    text = text_of(console)
    assert text.count("refused by") == 1 and "crashes" not in text
