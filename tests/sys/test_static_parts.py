# SPDX-License-Identifier: Apache-2.0
"""What a domain of the device tree may have besides memory and images: event channels to others, vCPUs that stay on CPUs,
a xenstore, devices of the machine.

Where Debian's Xen 4.17 has it, the same trees run there (--hyp xen).
"""
import os

import pytest
from conftest import ROOT
from domains import Domain
from test_static import require, text_of, verdicts

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
