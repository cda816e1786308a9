# SPDX-License-Identifier: Apache-2.0
"""The hypervisor's own console: ctrl-a three times, its keys, and back; and the checking build under load."""
import pytest

SWITCH = "\x01\x01\x01"

# key, what must come
KEYS = [
    ("h", rb"\(BH\)   q  domains"),
    ("q", rb"\(BH\) d0: id 0 .*2 vCPUs.*v0 \w+ on CPU.*v1 \w+ on CPU"),
    ("r", rb"\(BH\) CPU 0: .*CPU 1: "),
    ("m", rb"\(BH\) RAM: \d+ KiB, free \d+ KiB"),
    ("i", rb"\(BH\) INTID \d+: hypervisor.*INTID \d+: guest"),
    ("d", rb"d0v\d: pc [0-9a-f]{16}"),
    ("t", rb"\(BH\)   \d+\.\d{9} "),
]


@pytest.fixture
def only_bulkhead(hyp):
    if hyp == "xen":
        pytest.skip("these keys are Bulkhead's")


@pytest.mark.xdist_group("console")
@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("gic", [2, 3])
def test_console_keys(boot, gic):
    console = boot(gic=gic, smp=2, mem=1024, dom0_mem=512)
    console.send(SWITCH)
    console.expect(rb"Input goes to the hypervisor now")
    for key, answer in KEYS:
        console.send(key)
        console.expect(answer)
    console.send(SWITCH)
    console.expect(rb"Input goes to dom0 now")
    assert console.sh("echo back")[1].strip().endswith("back")
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0


@pytest.mark.xdist_group("debug")
@pytest.mark.usefixtures("only_bulkhead")
@pytest.mark.parametrize("gic", [2, 3])
def test_checking_build(boot, gic):
    """DEBUG=1: asserts and lock ranks, while dom0 works on all CPUs."""
    console = boot(hyp="bulkhead-debug", gic=gic, smp=4, mem=1024, dom0_mem=512)
    assert console.sh("stress 5")[0] == 0
    for state in ("0", "1"):
        assert console.sh(f"echo {state} > /sys/devices/system/cpu/cpu3/online")[0] == 0
    assert console.sh("nproc")[1].strip() == "4"
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0
