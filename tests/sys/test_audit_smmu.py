# SPDX-License-Identifier: Apache-2.0
"""The isolation auditor and an SMMUv3 (docs/audit.md): each stream goes by its owner's tables, also while guests whose disk is
behind it come and go; streams that do not are found and named.
"""
import os
import random
import re

from conftest import LOGS
from test_audit import DESTROY, audit, audits_during, files, skip_on_xen, verdict
from xl import run_steps, step
from xl_domu import output

STREAMS = 1 << 16  # of the PCI host, all of them dom0's
UNIT, LAST = "0x9050000", "0xffff"
SMMU = {"board_options": ",iommu=smmuv3", "smp": 2}
STAGE = ["-global", "arm-smmuv3.stage=2"]
FIND_DISK = "d=/dev/$(cd /sys/block; grep -l ^behind vd*/serial | cut -d/ -f1); ln -sf $d /tmp/disk"


def passes(results, name):
    said = verdict(results, name)
    assert said["verdict"] == "PASS" and said["streams"] == STREAMS, said


def finds(results, name, kind, tables):
    said = verdict(results, name)
    assert said["verdict"] == "FAIL" and said["found"] == 1, said
    assert said["faults"] == [{"class": "stream", "kind": kind, "unit": UNIT, "stream": LAST, "owner": 0, "tables-of": tables}], said


def test_audit_smmu_seeded():
    """A stream by another's tables, which then are nobody's; and one that nothing translates. The checking build."""
    steps = [step("create", "xl create -q /etc/xen/one.cfg && guest one --wait; xl list | awk '$1 == \"one\" { print $2 }'"), audit("before"),
             step("key 1", "xl debug-keys 9"), audit("another's"),
             step("destroy", DESTROY), audit("left"),
             step("key 2", "xl debug-keys 9"), audit("between"),
             step("key 3", "xl debug-keys 0"), audit("bypass"),
             step("key 4", "xl debug-keys 0"), audit("after"), step("log", "xl dmesg | grep -c 'seed: taken back, 0'")]
    results = run_steps("bulkhead-debug", "audit_smmu_seeded", steps, files(), extra=STAGE, **SMMU)
    for name in ("before", "between", "after"):
        passes(results, name)
    finds(results, "another's", "other-tables", int(output(results, "create")))
    finds(results, "left", "left-behind", 32767)
    finds(results, "bypass", "bypass", 32767)
    assert output(results, "log") == "2"


def test_audit_smmu_under_load(hyp):
    """Audits all the time while guests with a disk behind the SMMU are made, read from it and are ended."""
    skip_on_xen(hyp)
    path = os.path.join(LOGS, "audit-smmu-disk.img")
    os.makedirs(LOGS, exist_ok=True)
    with open(path, "wb") as file:
        file.write(random.Random("audit").randbytes(4 << 20))
    guests = [(name, text.replace(b"/guests/one.img,raw", b"phy:/tmp/disk").replace(b"/guests/two.img,raw", b"phy:/tmp/disk"))
              for name, text in files()]
    load = ("xl create -q /etc/xen/one.cfg && guest one --wait && "
            "guest one 'sha256sum </dev/xvda; dd if=/dev/xvda of=/dev/null bs=256k >/dev/null 2>&1 &' && "
            "xl destroy one || echo failed")
    steps = [step("disk", f"{FIND_DISK}; readlink -f /sys/block/${{d#/dev/}}/device; sha256sum <$d"), audit("empty"),
             step("load", audits_during(load, 2)), audit("end"), step("faults", "xl dmesg | grep -cE 'refused by|does not answer'; true")]
    extra = STAGE + ["-drive", f"if=none,id=behind,format=raw,file={path}",
                     "-device", "virtio-blk-pci,drive=behind,serial=behind,iommu_platform=on,disable-legacy=on"]
    results = run_steps(hyp, "audit_smmu_load", steps, guests, extra=extra, **SMMU)
    where, digest = output(results, "disk").split("\n")
    assert "/pci" in where
    said = output(results, "load")
    rounds = re.search(r"^rounds (\d+)$", said, re.MULTILINE)
    assert "failed" not in said and rounds and said.count(digest.split()[0]) == int(rounds[1]) >= 2, said
    found = re.search(r"^audits (\d+) bad 0$", said, re.MULTILINE)
    assert found and int(found[1]) >= 2, said
    passes(results, "empty")
    passes(results, "end")
    assert output(results, "faults") == "0"
