# SPDX-License-Identifier: Apache-2.0
"""What a domain of the device tree may have besides memory and images: event channels to others, vCPUs that stay on CPUs,
a xenstore, devices of the machine.

Where Debian's Xen 4.17 has it, the same trees run there (--hyp xen).
"""
import os
import re

import pytest
from conftest import ROOT
from domains import Domain, compile_tree
from run import BUILD
from test_static import KERNEL, KEYS, LINUX_ARGS, RAMDISK, STATIC, require, text_of, verdicts, wait_for

EVTCHN = os.path.join(ROOT, "build", "guests", "static_evtchn.bin")
WATCH = os.path.join(ROOT, "build", "guests", "static_watch.bin")
DEVICE = os.path.join(ROOT, "build", "guests", "static_device.bin")
MACHINE = {"wait": False, "kernel": None, "initrd": None, "smp": 2, "mem": 1024, "icount": True, "reboot": False}


def end(name, port, other):
    """A node for one end of an event channel; NAME and OTHER are labels."""
    return f'{name}: {name} {{ compatible = "xen,evtchn-v1"; xen,evtchn = <{port} &{other}>; }};'


FIRST_ENDS = [end("a", 10, "c"), end("b", 300, "d"), end("e", 20, "f"), end("f", 21, "e")]
SECOND_ENDS = [end("c", 11, "a"), end("d", 12, "b")]


@pytest.mark.parametrize("gic", (2, 3))
def test_event_channels(boot, hyp, gic):
    """Two bare-metal domains find channels to each other that neither asked for, use them and close one."""
    require(EVTCHN)
    console = boot(**MACHINE, gic=gic,
                   domains=[Domain("one", EVTCHN, bootargs="first", text=" ".join(FIRST_ENDS)),
                            Domain("two", EVTCHN, text=" ".join(SECOND_ENDS))])
    verdicts(console, hyp, [1, 2])


def test_event_channel_without_peer(boot, hyp):
    """One of the two has a mistake: it alone is refused, with the reason. Xen stops the machine for that."""
    if hyp == "xen":
        pytest.skip("Xen stops when one of these nodes has a mistake")
    require(EVTCHN)
    console = boot(**MACHINE, gic=3,
                   domains=[Domain("one", EVTCHN, bootargs="first alone", text=" ".join(FIRST_ENDS)),
                            Domain("two", EVTCHN, text=" ".join(SECOND_ENDS + [end("g", 1024, "a")]))])
    verdicts(console, hyp, [1])
    text = text_of(console)
    assert "/chosen/two/g: \"xen,evtchn\" begins with a port that is not from 1 to 1023" in text
    assert "event channel 10 leads to a domain that is not started" in text


def vcpu(number, cpus):
    return f'v{number} {{ compatible = "xen,vcpu"; id = <{number}>; hard-affinity = "{cpus}"; }};'


@pytest.mark.parametrize("gic", (2, 3))
def test_vcpus_on_cpus(boot, hyp, gic):
    """vCPUs stay where the tree puts them; a CPU that maxcpus= leaves out is none. The node is of Xen 4.20: 4.17 ignores it."""
    if hyp == "xen":
        pytest.skip("Xen 4.17 has no such node")
    require(STATIC)
    console = boot(**{**MACHINE, "smp": 4}, gic=gic, hyp_args="maxcpus=3", domains=[
        Domain("pinned", STATIC, cpus=3, bootargs="keyboard", text=vcpu(0, "2") + vcpu(1, "0,2") + vcpu(2, "1")),
        Domain("gone", STATIC, text=vcpu(0, "0-3")),
        Domain("none", STATIC, text=vcpu(0, "4"))])
    console.expect(b"type a line")
    console.send(KEYS)
    console.expect(b"Input goes to the hypervisor now")
    console.send("q")
    console.expect(rb"pinned: id 1")
    where = [console.expect(rf"v{number} \w+ on CPU (\d) of 0x(\d)".encode()) for number in range(3)]
    assert [int(found.group(2)) for found in where] == [4, 5, 2]
    assert [int(found.group(1)) for found in (where[0], where[2])] == [2, 1]
    assert where[1].group(1) in (b"0", b"2")
    text = text_of(console)
    assert "/chosen/gone: \"hard-affinity\" names a CPU that did not start, or was left out by maxcpus=" in text
    assert "/chosen/none/v0: \"hard-affinity\" names a CPU that this machine does not have" in text
    console.send(KEYS)
    console.expect(b"Input goes to pinned now")
    console.send("a line\r")
    verdicts(console, hyp, [1])


def budget(budget_us, period_us, more=""):
    return f"bulkhead,budget-us = <{budget_us}>; bulkhead,period-us = <{period_us}>; {more}"


@pytest.mark.parametrize("gic", (2, 3))
@pytest.mark.parametrize("sched", ("rtds", "credit2"))
def test_shares(boot, hyp, sched, gic):
    """Parameters of the scheduler by the tree, as the stock xl shows them; more than is left is refused. Xen has no such."""
    if hyp == "xen":
        pytest.skip("no release of Xen has such properties")
    require(WATCH)
    one = f'v1 {{ compatible = "xen,vcpu"; id = <1>; {budget(3000, 6000, "bulkhead,extratime;")} }};'
    console = boot(xl=True, gic=gic, smp=2, mem=2048, icount=True, reboot=False, dom0_vcpus=1, hyp_args=f"sched={sched}", domains=[
        Domain("shares", WATCH, cpus=2, text="bulkhead,weight = <512>; " + budget(4000, 20000) + one),
        Domain("greedy", WATCH, text=budget(9000, 9000))])
    text = text_of(console)
    other = {"rtds": "weight", "credit2": "budget-us"}[sched]
    assert f'/chosen/shares: "bulkhead,{other}" is of another scheduler than its pool\'s, {sched}; ignored' in text
    if sched == "rtds":
        assert '/chosen/greedy: "bulkhead,budget-us" is more than the scheduler can promise beside what others have' in text
        rows = console.check("xl sched-rtds -d 1 -v all").splitlines()[-2:]
        assert [row.split()[-5:] for row in rows] == [["1", "0", "20000", "4000", "no"], ["1", "1", "6000", "3000", "yes"]]
    else:
        assert console.check("xl sched-credit2 -d 1").splitlines()[-1].split()[-3:-1] == ["1", "512"]


@pytest.mark.parametrize("gic", (2, 3))
def test_channels_beside_dom0(boot, hyp, gic):
    """The stock init-dom0less gives a stock Linux its xenstore; a domain has channels to dom0 and to it, and sees its end."""
    require(WATCH)
    console = boot(xl=True, gic=gic, smp=2, mem=2048, icount=True, reboot=False, chosen=end("b", 99, "a"), domains=[
        Domain("linux", KERNEL, ramdisk=RAMDISK, mem=192, enhanced="enabled", bootargs=LINUX_ARGS + "linux",
               text=end("d", 7, "c")),
        Domain("watch", WATCH, text=end("a", 30, "b") + end("c", 9, "d"))])
    wait_for(console, b"guest linux is up")
    wait_for(console, b"watching")
    # Without a name in the store the tool has not been here.
    assert console.check("xl list | grep -c '^(null)'").strip() == "2"
    console.check("/usr/lib/xen-4.17/bin/init-dom0less")
    uuid = re.search(r"^dom0less-1 +1 .* ([0-9a-f]{8}(?:-[0-9a-f]+)+) ", console.check("xl list -v"), re.MULTILINE).group(1)
    assert console.check("xenstore-read /local/domain/1/name").strip() == "dom0less-1"
    if hyp == "bulkhead":
        console.leave()
        console.send(KEYS)
        console.expect(b"Input goes to linux now")
        # The kernel asks the store for it.
        console.send("until cat /sys/hypervisor/uuid; do sleep 1; done\r")
        console.expect(rf"\(linux\) {uuid}\r".encode())
        for name in (b"watch", b"the hypervisor", b"dom0"):
            console.send(KEYS)
            console.expect(b"Input goes to " + name + b" now")
        console.send("\r")
        console.expect(b"# ")
    console.check("xl destroy 1")
    verdicts(console, hyp, [2])


def rtc(path="/pl031@9010000", reg="0x0 0x9010000 0x0 0x1000 0x0 0x10000000", force="xen,force-assign-without-iommu;"):
    """A file: the partial tree that gives a domain the machine's clock chip."""
    return compile_tree(f'''/dts-v1/;
/ {{
    #address-cells = <2>; #size-cells = <2>;
    gic: gic {{ #interrupt-cells = <3>; interrupt-controller; }};
    aliases {{ rtc0 = "/passthrough/rtc@10000000"; }};
    passthrough {{
        compatible = "simple-bus"; ranges; #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&gic>;
        clk: clk {{ compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <24000000>; }};
        rtc@10000000 {{
            compatible = "arm,pl031", "arm,primecell";
            reg = <0 0x10000000 0 0x1000>; interrupts = <0 2 4>; clocks = <&clk>; clock-names = "apb_pclk";
            xen,path = "{path}"; xen,reg = <{reg}>; {force}
        }};
    }};
}};''', os.path.join(BUILD, "trees"))


VIRTIO = {"path": "/virtio_mmio@a000000", "reg": "0x0 0xa000000 0x0 0x1000 0x0 0x10000000"}


@pytest.mark.parametrize("gic", (2, 3))
def test_device(boot, hyp, gic):
    """A domain drives the machine's clock chip and takes its interrupt; nobody else gets that, or part of a page."""
    require(DEVICE)
    domains = [Domain("clock", DEVICE, cpus=2, devices=rtc(), bootargs="leave")]
    if hyp == "bulkhead":
        domains += [Domain("second", DEVICE, devices=rtc()), Domain("shared", DEVICE, devices=rtc(**VIRTIO))]
    console = boot(**MACHINE, gic=gic, domains=domains)
    verdicts(console, hyp, [1])
    if hyp == "bulkhead":
        text = text_of(console)
        assert "/chosen/second: rtc@10000000: \"xen,path\" names a device that is given away already" in text
        assert "/chosen/shared: rtc@10000000: \"xen,reg\" has a page that another device has a part of" in text


MARKED = "pl031@9010000 { xen,passthrough; }; "


@pytest.mark.parametrize("gic", (2, 3))
def test_device_beside_dom0(boot, hyp, gic):
    """dom0 lacks what is marked for another domain; one that ends with the interrupt active and its line high harms nobody."""
    require(DEVICE)
    console = boot(xl=True, gic=gic, smp=2, mem=2048, icount=True, reboot=False, tree=MARKED, domains=[
        Domain("clock", DEVICE, cpus=2, devices=rtc(), bootargs="hold"),
        Domain("dom0s", DEVICE, devices=rtc("/pl061@9030000", "0x0 0x9030000 0x0 0x1000 0x0 0x10000000"))][:1 + (hyp == "bulkhead")])
    wait_for(console, b"holding")
    if hyp == "bulkhead":
        assert console.check("ls /proc/device-tree | grep -c ^pl031 || true").strip() == "0"
        assert "\"xen,path\" names a device of dom0's" in text_of(console)
    console.check("ls /proc/device-tree/pl061@9030000 && ! ls /sys/class/rtc/rtc0")
    console.check("xl destroy 1")
    console.check("while xl list | grep -q '^(null) *1 '; do sleep 1; done")
    console.check("sleep 1; xl list")
