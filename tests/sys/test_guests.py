# SPDX-License-Identifier: Apache-2.0
"""Every bare-metal guest of guests/ as the control domain: it checks the hypervisor from inside and says GUEST PASS.

On Debian's Xen (--hyp xen) a guest leaves out the checks where Xen is known to differ from the architecture; it
prints SKIP lines for them. On Bulkhead all are required.
"""
import glob
import os
import re

import pytest
from conftest import ROOT

GUESTS = os.path.join(ROOT, "build", "guests")
SOURCES = sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(ROOT, "guests", "*.c")))
# The others are run by tests and benches of their own.
NOT_A_TEST = {"bench", "bench_across", "bench_domains", "bench_its", "bench_pair", "crash", "dma", "domu", "domu_dma",
              "domu_end", "domu_fault", "domu_flood", "domu_witness", "doorbell", "hidden", "pulse", "restart", "restart_parts", "share_pair", "shares",
              "static_device", "static_dma", "static_dom", "static_evtchn", "static_mem", "static_watch", "windows"}
# These do more when there are more CPUs; the others are run with one.
SEVERAL_CPUS = {"hello", "psci_smp", "vgic_sgi", "vgic_spi", "vgic_regs", "evtchn_vcpu", "hc_hostile",
                "domctl", "p2m_split", "device_irq", "its"}
GICV3_ONLY = {"its"}
VERDICT = re.compile(rb"GUEST (PASS|FAIL) (\d+)")


def cases():
    for guest in SOURCES:
        if guest in NOT_A_TEST:
            continue
        for gic in (3,) if guest in GICV3_ONLY else (2, 3):
            for smp in (1, 4) if guest in SEVERAL_CPUS else (1,):
                yield pytest.param(guest, gic, smp, id=f"{guest}-gicv{gic}-{smp}cpu")


@pytest.mark.parametrize("guest, gic, smp", cases())
def test_guest(boot, hyp, guest, gic, smp):
    image = os.path.join(GUESTS, guest + ".bin")
    if not os.path.exists(image):
        pytest.fail(f"no guest image at {image}\ncure: make guests", pytrace=False)
    console = boot(wait=False, kernel=image, initrd=None, gic=gic, smp=smp, mem=1024, dom0_mem=256, dom0_vcpus=smp,
                   icount=True, reboot=False)
    verdict = console.expect(VERDICT.pattern)
    text = console.data[:verdict.end()].decode(errors="replace")
    if verdict.group(1) != b"PASS":
        lines = [line for line in text.splitlines() if line.startswith(("FAIL", "row:"))]
        pytest.fail("\n".join(lines) or text[-2000:], pytrace=False)
    assert int(verdict.group(2)) > 0
    if hyp == "bulkhead":
        assert "\nSKIP " not in text
    assert console.expect_end() == 0
