# SPDX-License-Identifier: Apache-2.0
"""A stock Linux as the control domain, on the machines we say we serve.

Each machine of MACHINES boots once; all tests below run on it, in the order they stand here. The last one restarts
the machine and powers it off.
"""
import hashlib
import os
import random
import types

import pytest
from conftest import LOGS, Booter

MIB = 1 << 20
DISK_SIZE = 8 * MIB
TFTP_SIZE = 1 * MIB
BANNER = rb"Xen version|Bulkhead"
# Without the instruction clock a machine sees the host stand still: its kernel is to bear that for a minute or more.
PATIENT = "rcupdate.rcu_cpu_stall_timeout=300 watchdog_thresh=60 workqueue.watchdog_thresh=300"

# Few machines that together cover: both GICs, four CPU models, 1 to 8 CPUs, one to all CPUs for the control domain,
# 512 MiB to 6 GiB, free-running and instruction clock, disks and network cards on PCI and on MMIO.
#            gic  cpu          smp  vcpus  mem   dom0   icount  net
MACHINES = [
    (3, "cortex-a53", 1, 1, 512, 256, False, "mmio"),
    (2, "cortex-a57", 2, 2, 2048, 1024, False, "pci"),
    (3, "cortex-a72", 4, 4, 6144, 4096, False, "pci"),
    (2, "max", 8, 8, 2048, 1024, False, "mmio"),
    (3, "max", 8, 3, 6144, 1024, False, "pci"),
    (3, "cortex-a53", 8, 8, 2048, 512, False, "mmio"),
    (3, "cortex-a57", 4, 4, 512, 256, True, "pci"),
    (2, "cortex-a53", 2, 1, 512, 256, True, "mmio"),
]


def machine_name(row):
    gic, cpu, smp, vcpus, mem, _, icount, _ = row
    return f"gicv{gic}-{cpu}-{vcpus}of{smp}cpus-{mem}M" + ("-icount" if icount else "")


def machine_params():
    return [pytest.param(row, id=machine_name(row), marks=pytest.mark.xdist_group(machine_name(row)))
            for row in MACHINES]


def known_bytes(seed, size):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module", params=machine_params())
def running(request, tmp_path_factory):
    """The running machine: .row, .console, .vcpus, .disks {bus: path}, .tftp (directory)"""
    row = request.param
    gic, cpu, smp, vcpus, mem, dom0_mem, icount, net = row
    folder = tmp_path_factory.mktemp(machine_name(row))
    disks = {}
    for bus in ("pci", "mmio"):
        disks[bus] = str(folder / f"disk-{bus}.img")
        with open(disks[bus], "wb") as file:
            file.write(known_bytes(bus, DISK_SIZE))
    tftp = folder / "tftp"
    tftp.mkdir()
    (tftp / "file").write_bytes(known_bytes("tftp", TFTP_SIZE))
    os.makedirs(LOGS, exist_ok=True)
    booter = Booter(request.config.getoption("--hyp"), "test_dom0-" + machine_name(row))
    machine = types.SimpleNamespace(row=row, vcpus=vcpus, dom0_mem=dom0_mem, icount=icount, disks=disks)
    machine.console = booter(
        wait=False, gic=gic, cpu=cpu, smp=smp, mem=mem, dom0_mem=dom0_mem, dom0_vcpus=vcpus, icount=icount, net=net,
        tftp=str(tftp), disks=[(path, bus) for bus, path in disks.items()], dom0_args="" if icount else PATIENT)
    yield machine
    booter.close()


@pytest.fixture(name="dom0")
def fixture_dom0(running):
    """The machine, for one test; a machine that has died is not asked again."""
    if running.console.broken:
        pytest.fail("the machine is dead since an earlier test: " + running.console.broken, pytrace=False)
    return running


def check(dom0, command, idle=None):
    return dom0.console.check(command, idle)


def test_boot(dom0):
    dom0.console.wait_ready()
    assert check(dom0, "uname -m") == "aarch64"
    assert check(dom0, "cat /sys/hypervisor/type") == "xen"
    # Kernel messages in the middle of a command's output would be taken for output.
    check(dom0, "dmesg -n 1")


def test_all_cpus_online(dom0):
    last = dom0.vcpus - 1
    assert check(dom0, "nproc") == str(dom0.vcpus)
    assert check(dom0, "cat /sys/devices/system/cpu/online") == (f"0-{last}" if last else "0")


def test_memory(dom0):
    total = int(check(dom0, "awk '/MemTotal/ { print $2 }' /proc/meminfo"))
    # The kernel keeps some for itself: its image, page structures, the ramdisk.
    assert dom0.dom0_mem * 1024 * 0.75 - 65536 < total <= dom0.dom0_mem * 1024


def rtc_and_uptime(dom0):
    """(clock chip before, uptime, clock chip after): read in this order, right after the chip's second has begun"""
    output = check(dom0, "r=/sys/class/rtc/rtc0/since_epoch; a=$(cat $r); while b=$(cat $r); [ $a = $b ]; do :; done; "
                         "cut -d' ' -f1 /proc/uptime; echo $b; cat $r")
    uptime, before, after = output.split()
    return int(before), float(uptime), int(after)


def times_agree(first, last, slack):
    """The counter ran as long as the clock chip, as far as two readings can tell."""
    ran = last[1] - first[1]
    return last[0] - first[2] - slack <= ran <= last[2] - first[0] + slack


def test_time_runs_true(dom0):
    """The CPUs' counter against the clock chip; both count the machine's virtual time, so load cannot matter.

    Load can stretch a reading, though: the chip shows whole seconds, and the counter is read some time into one. A
    quiet machine is precise at once; on a busy one the first and the last of several readings must agree.
    """
    assert check(dom0, "cat /sys/devices/system/clocksource/clocksource0/current_clocksource") == "arch_sys_counter"
    readings = [rtc_and_uptime(dom0)]
    for _ in range(5):
        check(dom0, "sleep 4")
        readings.append(rtc_and_uptime(dom0))
        assert readings[-1][1] - readings[-2][1] >= 4, "sleep ended early"
        if times_agree(readings[-2], readings[-1], 0.3):
            return
    assert times_agree(readings[0], readings[-1], 1), f"clock chip, counter, clock chip: {readings}"


def disk_device(dom0, bus):
    """/dev/vdX by the serial number that tools/qemu/run.py gave the disk."""
    name = check(dom0, f"cd /sys/block; grep -l ^{bus} vd*/serial").split("/")[0]
    assert name in ("vda", "vdb")
    where = check(dom0, f"readlink -f /sys/block/{name}/device")
    assert ("pci" in where) == (bus == "pci")
    return "/dev/" + name


@pytest.mark.parametrize("bus", ["pci", "mmio"])
def test_disk(dom0, bus):
    half = DISK_SIZE // 2
    device = disk_device(dom0, bus)
    with open(dom0.disks[bus], "rb") as file:
        expected = sha256(file.read(half))
    assert check(dom0, f"head -c {half} {device} | sha256sum").split()[0] == expected
    # Write the other half; the host must find the same bytes.
    check(dom0, f"head -c {half} /dev/urandom > /tmp/noise")
    written = check(dom0, "sha256sum < /tmp/noise").split()[0]
    check(dom0, f"dd if=/tmp/noise of={device} bs=1M seek={half // MIB} conv=fsync,notrunc")
    with open(dom0.disks[bus], "rb") as file:
        file.seek(half)
        assert sha256(file.read()) == written
    # And so must the guest, past its cache.
    check(dom0, "echo 3 > /proc/sys/vm/drop_caches; rm /tmp/noise")
    assert check(dom0, f"tail -c {half} {device} | sha256sum").split()[0] == written


def test_network(dom0):
    check(dom0, "ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up")
    check(dom0, "ping -c 3 -A 10.0.2.2")
    check(dom0, "tftp -g -b 1400 -r file -l /tmp/file 10.0.2.2")
    assert check(dom0, "sha256sum < /tmp/file").split()[0] == sha256(known_bytes("tftp", TFTP_SIZE))
    check(dom0, "rm /tmp/file")


def test_32_bit_program(dom0):
    assert check(dom0, "hello32") == "hello32: PASS: armv8l"


@pytest.mark.xen_cannot("Xen 4.17 gives a guest no hardware breakpoints")
def test_hardware_breakpoints(dom0):
    assert check(dom0, "hwbp").startswith(f"hwbp: PASS: {dom0.vcpus} CPUs")


def test_stress(dom0):
    # One second of virtual time is work for all CPUs; a busy host takes long for it, in silence.
    assert check(dom0, "stress 1" if dom0.icount else "stress 3", idle=900).startswith(f"stress: PASS: {dom0.vcpus} CPUs")


def test_cpu_hotplug(dom0):
    if dom0.vcpus == 1:
        pytest.skip("one CPU")
    for cpu in range(1, dom0.vcpus):
        online = f"/sys/devices/system/cpu/cpu{cpu}/online"
        check(dom0, f"echo 0 > {online}")
        assert check(dom0, "nproc") == str(dom0.vcpus - 1)
        check(dom0, f"echo 1 > {online}")
        assert check(dom0, "nproc") == str(dom0.vcpus)
        assert check(dom0, f"taskset -c {cpu} sh -c 'echo runs'") == "runs"
    # All but the first away at once, and back.
    others = " ".join(str(cpu) for cpu in range(1, dom0.vcpus))
    check(dom0, f"for c in {others}; do echo 0 > /sys/devices/system/cpu/cpu$c/online; done")
    assert check(dom0, "nproc") == "1"
    check(dom0, f"for c in {others}; do echo 1 > /sys/devices/system/cpu/cpu$c/online; done")
    assert check(dom0, "nproc") == str(dom0.vcpus)
    assert check(dom0, "stress 1", idle=900).startswith(f"stress: PASS: {dom0.vcpus} CPUs")


def interrupt_table(dom0):
    """{name at the end of the line: [count of each CPU]}"""
    table = {}
    for line in check(dom0, "cat /proc/interrupts").split("\n")[1:]:
        words = line.split()
        counts = []
        for word in words[1:]:
            if not word.isdigit() or len(counts) == dom0.vcpus:
                break
            counts.append(int(word))
        table[words[-1] if words[0] != "Err:" else "Err"] = counts
    return table


def test_interrupts(dom0):
    before = interrupt_table(dom0)
    check(dom0, "for c in $(seq 0 %d); do taskset -c $c sleep 0.2; done" % (dom0.vcpus - 1))
    after = interrupt_table(dom0)
    assert before["Err"] == [0] == after["Err"]
    for cpu in range(dom0.vcpus):
        grown = after["arch_timer"][cpu] - before["arch_timer"][cpu]
        assert 0 < grown < 100000, f"timer interrupts of CPU {cpu}: {before['arch_timer']}, {after['arch_timer']}"
    assert sum(sum(counts) for name, counts in after.items() if name.startswith("virtio")) > 0


def test_kernel_is_content(dom0, hyp):
    """Nothing the kernel calls a bug, a warning with a trace, a stall, a lockup or an oops."""
    words = "BUG|WARNING:|Oops|stall|lockup|nobody cared|unhandled|panic"
    status, output = dom0.console.sh(f"dmesg | grep -E '{words}'")
    lines = [line for line in output.split("\n") if "rcu_cpu_stall_timeout" not in line] if status == 0 else []
    if hyp == "xen":
        # Real Xen takes the GICv3's message translation away but leaves the pointers to it: a warning for each PCI device.
        lines = [line for line in lines if "pci_msi_" not in line]
    assert not lines


def test_shell_has_job_control(dom0):
    """The interactive shell: prompt, Ctrl-C, Ctrl-Z, bg, kill."""
    console = dom0.console
    console.leave()
    # The program itself says that it has the terminal; the key would reach the shell otherwise.
    console.send("sh -c 'echo A; exec sleep 1000'\n")
    console.expect(rb"\nA\r*\n")
    console.send("\x1a")
    console.expect(rb"Stopped.*dom0# ")
    console.send("bg; kill %1; sh -c 'echo B; exec cat'\n")
    console.expect(rb"\nB\r*\n")
    console.send("\x03")
    console.expect(rb"dom0# ")
    assert check(dom0, "echo back") == "back"


def test_reboot_and_poweroff(dom0):
    console = dom0.console
    console.leave()
    console.send("reboot\n")
    console.expect(BANNER)
    console.wait_ready()
    assert check(dom0, "nproc") == str(dom0.vcpus)
    console.leave()
    console.send("poweroff\n")
    assert console.expect_end() == 0
