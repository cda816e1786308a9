# SPDX-License-Identifier: Apache-2.0
"""A device of the machine for guests of the stock xl: iomem=, irqs=, device_tree=, dtdev=.

The machine's clock chip, which its tree keeps from the control domain, goes from guest to guest: to a bare-metal program
(guests/static_device.c), and to a stock Linux with its own driver.
"""
import os

import pytest
from conftest import ROOT
from domains import compile_tree
from run import BUILD
from xl import run_steps, step
from xl_domu import LEFT, config, noted, output, settled

DEVICE = os.path.join(ROOT, "build", "guests", "static_device.bin")
FORCE = "xen,force-assign-without-iommu; "
MARKED = f"pl031@9010000 {{ xen,passthrough; {FORCE}}}; "
GIVEN = 'iomem = [ "0x9010,1@0x10000" ]\nirqs = [ 34 ]\ndevice_tree = "/root/rtc.dtb"\n'
# The guest's interrupt controller is what libxl calls 0xfde8.
TREE = '''/dts-v1/;
/ {
    #address-cells = <2>; #size-cells = <2>;
    aliases { rtc0 = "/passthrough/rtc@10000000"; };
    passthrough {
        compatible = "simple-bus"; ranges; #address-cells = <2>; #size-cells = <2>; interrupt-parent = <0xfde8>;
        clk: clk { compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <24000000>; };
        rtc@10000000 {
            compatible = "arm,pl031", "arm,primecell";
            reg = <0 0x10000000 0 0x1000>; interrupts = <0 2 4>; clocks = <&clk>; clock-names = "apb_pclk";
        };
    };
};'''
WAIT = "wait_for() { until grep -q \"$2\" /var/log/xen/console/guest-$1.log 2>/dev/null; do sleep 0.05; done; }; set -e; "
GONE = "gone() { while xl domid $1 >/dev/null 2>&1; do sleep 0.05; done; }; "
HOLD = WAIT + "rm -f /var/log/xen/console/guest-hold.log; xl create -q /etc/xen/hold.cfg; wait_for hold holding; "
PASSES = (WAIT + GONE + "rm -f /var/log/xen/console/guest-clock.log; xl create -q /etc/xen/clock.cfg; "
          "wait_for clock 'GUEST [PF]'; gone clock; grep -o 'GUEST .*' /var/log/xen/console/guest-clock.log")
CYCLES = 10
# What nobody may have, or somebody has, and what is said of it.
NOT_PERMITTED, BUSY, INVALID = "Operation not permitted", "Device or resource busy", "Invalid argument"
REFUSED = {
    "ram": ('iomem = [ "0x50000,1" ]', NOT_PERMITTED),
    "gic": ('iomem = [ "0x8000,1" ]', NOT_PERMITTED),
    "its": ('iomem = [ "0x8080,1" ]', NOT_PERMITTED),
    "uart": ('iomem = [ "0x9000,1" ]', NOT_PERMITTED),
    "disk": ('iomem = [ "0xa000,1" ]', NOT_PERMITTED),
    "gpio": ('iomem = [ "0x9030,1" ]', NOT_PERMITTED),
    "nothing": ('iomem = [ "0x7000,1" ]', NOT_PERMITTED),
    "more": ('iomem = [ "0x9010,2" ]', NOT_PERMITTED),
    "less": ('iomem = [ "0x900f,2" ]', NOT_PERMITTED),
    "all": ('iomem = [ "0x0,0x100000" ]', NOT_PERMITTED),
    "uart-line": ("irqs = [ 33 ]", BUSY),
    "disk-line": ("irqs = [ 48 ]", BUSY),
    "no-line": ("irqs = [ 200 ]", NOT_PERMITTED),
    "over-ram": ('iomem = [ "0x9010,1@0x40000" ]', ""),
}


def bare(name, words, more=""):
    text = f'name = "{name}"\nkernel = "/root/device"\nextra = "{words}"\nmemory = 16\nvcpus = 2\n{more}'
    return f"/etc/xen/{name}.cfg", text.encode()


def files():
    if not os.path.exists(DEVICE):
        pytest.fail(f"there is no {DEVICE}\ncure: make guests", pytrace=False)
    with open(compile_tree(TREE, os.path.join(BUILD, "trees")), "rb") as file:
        tree = file.read()
    with open(DEVICE, "rb") as file:
        image = file.read()
    name, linux = config("one", 1, 1, 128)
    return [("/root/device", image), ("/root/rtc.dtb", tree), (name, linux + GIVEN.encode()), bare("clock", "leave", GIVEN),
            bare("hold", "hold", GIVEN), *[bare(name, "", more + "\n") for name, (more, _) in REFUSED.items()]]


CHIP = ("guest one 'cat /sys/class/rtc/rtc0/name /sys/class/rtc/rtc0/since_epoch; grep -c rtc-pl031 /proc/interrupts; "
        "echo +2 >/sys/class/rtc/rtc0/wakealarm; sleep 4; grep rtc-pl031 /proc/interrupts; cat /sys/class/rtc/rtc0/wakealarm'")


@pytest.fixture(scope="module", name="ran", params=[pytest.param(2, id="gicv2", marks=pytest.mark.xdist_group("xl-device-2")),
                                                    pytest.param(3, id="gicv3", marks=pytest.mark.xdist_group("xl-device-3"))])
def fixture_ran(request):
    hyp = request.config.getoption("--hyp")
    # On Xen a line is free some time after its domain has ended.
    later = "sleep 1" if hyp == "xen" else ":"
    steps = [step("dom0", "ls /proc/device-tree | grep -c ^pl031; ls /sys/class/rtc | wc -l"),
             step("first", PASSES),
             step("warm-up", "xl create -q /etc/xen/one.cfg; guest one --wait; xl destroy one; sleep 1"),
             step("before", noted(LEFT)),
             step("cycles", f"for i in $(seq {CYCLES}); do {HOLD} xl destroy hold; {later}; done; {later}"),
             step("passes", f"{PASSES}; {later}"),
             step("held", HOLD),
             step("second", "xl create -q /etc/xen/clock.cfg"),
             step("second-iomem", "xl create -q /etc/xen/iomem.cfg")]
    if hyp == "bulkhead":
        steps.append(step("audit", "xl dmesg -c >/dev/null; xl debug-keys k; until xl dmesg | grep 'audit: [PFU].*asked=1'; do "
                                   "sleep 0.1; done | sed 's/^(BH)/:/'"))
    steps.append(step("destroy", "xl destroy hold; sleep 1"))
    if hyp == "bulkhead":
        steps += [step(name, f"xl create -q /etc/xen/{name}.cfg") for name in REFUSED]
    steps += [step("linux", "xl create -q /etc/xen/one.cfg && guest one --wait"),
              step("chip", CHIP),
              step("linux-ends", "xl destroy one; sleep 1"),
              step("last", PASSES),
              step("after", settled(LEFT)),
              step("log", "xl dmesg | sed 's/^(BH)/:/'")]
    more = [bare("iomem", "", 'iomem = [ "0x9010,1@0x10000" ]\n')]
    return run_steps(hyp, f"xl-device-{request.param}", steps, files() + more, gic=request.param, smp=2, tree=MARKED), hyp


def failed(results, name, what):
    assert results[name].status != 0, name
    assert what in results[name].output, f"{name}: {results[name].output}"


def test_control_domain_lacks_it(ran):
    nodes, chips = ran[0]["dom0"].output.split()
    assert chips == "0"
    assert nodes == "0" or ran[1] == "xen"      # which says that it is disabled


def test_bare_metal_guest(ran):
    """Registers, interrupts on both vCPUs, a level, its end with the interrupt active."""
    assert "GUEST PASS" in output(ran[0], "first")


def test_destroyed_while_active(ran):
    """Again and again; the next one finds the line as it was."""
    output(ran[0], "cycles")
    assert "GUEST PASS" in output(ran[0], "passes")


def test_one_owner(ran):
    results, hyp = ran
    output(results, "held")
    failed(results, "second", "failed give domain access to irq 34: Device or resource busy")
    if hyp == "bulkhead":       # Xen gives the same registers to many
        failed(results, "second-iomem", "failed give domain access to iomem range 9010-9010: Device or resource busy")


def test_what_nobody_may_have(ran):
    results, hyp = ran
    if hyp == "xen":
        pytest.skip("Xen gives away whatever the control domain may have")
    for name, (_, what) in REFUSED.items():
        failed(results, name, what)
    assert "audit: PASS" in output(results, "audit")


def test_linux(ran):
    """The stock kernel's own driver tells the time and takes an alarm."""
    output(ran[0], "destroy")
    output(ran[0], "linux")
    name, time, known, *rest = output(ran[0], "chip").split("\n")
    assert name.startswith("rtc-pl031") and known == "1"
    assert 1704067200 <= int(time) < 1704067200 + 86400
    assert int(rest[0].split()[1]) >= 1, rest
    assert len(rest) == 1, "the alarm is still set"


def test_nothing_is_left(ran):
    results = ran[0]
    assert "GUEST PASS" in output(results, "last")
    if ran[1] == "bulkhead":
        assert output(results, "after") == output(results, "before")


def test_behind_an_smmu(hyp):
    """dtdev= gives the device's stream to the guest, with nothing forced, and takes it back, again and again."""
    if hyp == "xen":
        pytest.skip("Debian's Xen has no driver for an SMMUv3")
    path = 'dtdev = [ "/pl031@9010000" ]\n'
    more = [bare("clock", "leave", GIVEN + path), bare("hold", "hold", GIVEN + path),
            bare("other", "", 'dtdev = [ "/pl061@9030000" ]\n'), bare("second", "", path)]
    steps = [step("first", PASSES),
             step("cycles", f"for i in 1 2 3; do {HOLD} xl destroy hold; done"),
             step("held", HOLD),
             step("second", "xl create -q /etc/xen/second.cfg"),
             step("destroy", "xl destroy hold"),
             step("other", "xl create -q /etc/xen/other.cfg"),
             step("last", PASSES),
             step("log", "xl dmesg | sed 's/^(BH)/:/'")]
    # All streams would be the PCI host's, which is the control domain's.
    tree = ("pl031@9010000 { xen,passthrough; iommus = <&{/smmuv3@9050000} 0x8042>; }; "
            "pcie@10000000 { iommu-map = <0x0 &{/smmuv3@9050000} 0x0 0x8000>; }; ")
    results = run_steps(hyp, "xl-device-smmu", steps, files()[:2] + more, smp=2, tree=tree, board_options=",iommu=smmuv3",
                        extra=["-global", "arm-smmuv3.stage=2"])
    for name in ("first", "last"):
        assert "GUEST PASS" in output(results, name)
    for name in ("cycles", "held", "destroy"):
        output(results, name)
    failed(results, "second", "xc_assign_dtdevice failed")
    failed(results, "other", "xc_assign_dtdevice failed")
    log = output(results, "log")
    assert "/pl031@9010000: for guests of the toolstack: 1 ranges of registers, 1 interrupts\n" in log
    assert "refused by" not in log
