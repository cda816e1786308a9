# SPDX-License-Identifier: Apache-2.0
"""What a domain of the device tree may have besides memory and images: event channels to others, vCPUs that stay on CPUs,
a xenstore, devices of the machine.

Where Debian's Xen 4.17 has it, the same trees run there (--hyp xen).
"""
import os

import pytest
from conftest import ROOT
from domains import Domain
from test_static import KEYS, STATIC, require, text_of, verdicts

EVTCHN = os.path.join(ROOT, "build", "guests", "static_evtchn.bin")
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


def test_vcpus_on_cpus(boot, hyp):
    """vCPUs stay where the tree puts them; a CPU that maxcpus= leaves out is none. The node is of Xen 4.20: 4.17 ignores it."""
    if hyp == "xen":
        pytest.skip("Xen 4.17 has no such node")
    require(STATIC)
    console = boot(**{**MACHINE, "smp": 4}, hyp_args="maxcpus=3", domains=[
        Domain("pinned", STATIC, cpus=3, bootargs="keyboard", text=vcpu(0, "2") + vcpu(1, "0,2") + vcpu(2, "1")),
        Domain("gone", STATIC, text=vcpu(0, "0-3")),
        Domain("none", STATIC, text=vcpu(0, "4"))])
    console.expect(b"type a line")
    console.send(KEYS)
    console.expect(b"Input goes to the hypervisor now")
    console.send("q")
    console.expect(rb"d1: id 1")
    where = [console.expect(rf"v{number} \w+ on CPU (\d) of 0x(\d)".encode()) for number in range(3)]
    assert [int(found.group(2)) for found in where] == [4, 5, 2]
    assert [int(found.group(1)) for found in (where[0], where[2])] == [2, 1]
    assert where[1].group(1) in (b"0", b"2")
    text = text_of(console)
    assert "/chosen/gone: \"hard-affinity\" names a CPU that did not start, or was left out by maxcpus=" in text
    assert "/chosen/none/v0: \"hard-affinity\" names a CPU that this machine does not have" in text
    console.send(KEYS)
    console.expect(b"Input goes to d1 now")
    console.send("a line\r")
    verdicts(console, hyp, [1])
