# SPDX-License-Identifier: Apache-2.0
"""The isolation auditor (docs/audit.md): nothing is found while domains come, change and go; each seeded fault is found and
named, and not any more when it is taken back.
"""
import json
import os
import re

import pytest
from conftest import ROOT, log_path
from xl import run_steps, step
from xl_domu import config, output

TOOL = os.path.join(ROOT, "tools", "audit", "bulkhead-audit")
GUESTS = ("one", "two")
# Key of the checking build: (class, kinds, who maps or has it). A frame that was free may be somebody's by then.
SEEDS = {
    1: ("page", ("free", "not-its-own", "hypervisor"), ("mapped-by", "dom0")),
    2: ("page", ("not-its-own",), ("mapped-by", "dom0")),
    3: ("irq", ("routed-twice",), ("domain", "dom0")),
    4: ("page", ("not-its-own",), ("mapped-by", "guest")),
    5: ("page", ("uncounted",), ("mapped-by", "dom0")),
    6: ("page", ("not-granted",), ("mapped-by", "dom0")),
    7: ("page", ("hypervisor",), ("mapped-by", "guest")),
    8: ("page", ("device-of-two",), ("mapped-by", "guest")),
}


def files():
    with open(TOOL, "rb") as file:
        tool = file.read()
    return [("/run/bulkhead-audit", tool)] + [config(name, number, 1, 64, "cma=0") for number, name in enumerate(GUESTS, 1)]


# What is mapped of a guest is given back in its backends' own time: until then it is in the list.
DESTROY = "xl destroy one; for t in 0.1 1 3 9; do [ \"$(xl list | wc -l)\" = 2 ] && break; sleep $t; done; sleep 2"


def audits_during(what, least):
    """Audits while this is done twice, and on until that many have ended: how many fit in is chance."""
    return (f"echo -n >/run/audits; {{ rounds=0; while [ $rounds -lt 2 ] || [ $(wc -l </run/audits) -lt {least} ]; do {what}; "
            "rounds=$((rounds + 1)); done; touch /run/over; echo rounds $rounds; } >/run/load.out 2>&1 & bad=0; "
            "while [ ! -e /run/over ]; do sh /run/bulkhead-audit >/run/last || { bad=1; cat /run/last; }; echo >>/run/audits; done; "
            "wait; cat /run/load.out; echo audits $(wc -l </run/audits) bad $bad")


def audit(name):
    return step(name, "sh /run/bulkhead-audit")


def verdict(results, name):
    """What the tool said; its exit status says the same."""
    assert name in results, f"{name} did not end"
    said = json.loads(results[name].output)
    assert results[name].status == {"PASS": 0, "FAIL": 1, "UNSURE": 2}[said["verdict"]]
    return said


def skip_on_xen(hyp):
    if hyp == "xen":
        pytest.skip("Bulkhead's own auditor")


def test_audit_under_load(hyp):
    """Audits all the time while guests are made, ballooned, stopped and ended: not one finds anything."""
    skip_on_xen(hyp)
    # `xl mem-set` aborts on Arm, whatever the hypervisor.
    size = "xenstore-write /local/domain/$(xl domid one)/memory/target $(({} << 10)) && sleep 1"
    load = ("xl create /etc/xen/two.cfg && xl pause one && xl unpause one && "
            f"{size.format(52)} && {size.format(64)} && xl destroy two || echo failed")
    steps = [audit("empty"), step("create", "xl create /etc/xen/one.cfg && guest one --wait"), audit("one"),
             step("load", audits_during(load, 5)), audit("after"), step("destroy", DESTROY), audit("end")]
    results = run_steps(hyp, "audit_under_load", steps, files(), smp=2)
    found = re.search(r"^audits (\d+) bad 0$", output(results, "load"), re.MULTILINE)
    assert found and int(found[1]) >= 5, results["load"].output
    assert "failed" not in results["load"].output
    for name in ("empty", "one", "after", "end"):
        assert verdict(results, name)["verdict"] == "PASS", results[name].output
    one = verdict(results, "one")
    empty = verdict(results, "empty")
    assert one["vms"] == empty["vms"] + 1 and one["ports"] > empty["ports"] and one["grants"] > 0
    # dom0 has given up some memory by then, for what it maps of the guest.
    assert one["maps"] > empty["maps"]
    assert one["irqs"] == empty["irqs"] > 0
    assert verdict(results, "end")["vms"] == empty["vms"]


def test_audit_seeded():
    """Each seeded fault is found and named, alone; it passes again when that is taken back. The checking build."""
    steps = [step("create", "xl create /etc/xen/one.cfg && guest one --wait"), audit("before")]
    for key in SEEDS:
        steps += [step(f"seed {key}", f"xl debug-keys {key}"), audit(f"with {key}"),
                  step(f"undo {key}", f"xl debug-keys {key}"), audit(f"without {key}")]
    steps += [step("list", "xl list | awk '$1 == \"one\" { print $2 }'"), step("destroy", DESTROY),
              step("log", "xl dmesg"), audit("end")]
    results = run_steps("bulkhead-debug", "audit_seeded", steps, files(), smp=2)
    assert verdict(results, "before")["verdict"] == "PASS", results["before"].output
    who = {"dom0": 0, "guest": int(output(results, "list"))}
    for key, (kind_of, kinds, (word, victim)) in SEEDS.items():
        said = verdict(results, f"with {key}")
        assert said["verdict"] == "FAIL" and said["found"] == len(said["faults"]) == 1, said
        fault = said["faults"][0]
        assert fault["class"] == kind_of and fault["kind"] in kinds and fault[word] == who[victim], fault
        said = verdict(results, f"without {key}")
        assert said["verdict"] == "PASS", said
    assert verdict(results, "end")["verdict"] == "PASS"
    by_itself = re.findall(r"audit: (\w+) run=\d+ asked=0", open(log_path("audit_seeded"), encoding="utf-8",
                                                                 errors="replace").read())
    assert by_itself.count("PASS") >= 3, "at boot, at the guest's making and at its end"
