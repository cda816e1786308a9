# SPDX-License-Identifier: Apache-2.0
"""Guests of the stock toolstack at work: data, memory, faults, wrong configurations, and what they leave behind.

Each test is one run of a machine (tests/sys/xl.py): a list of commands whose output is known in advance.
"""
import hashlib
import os
import random
import re
import subprocess

import pytest
from conftest import ROOT
from xl import drop, normalised, run_reference, run_steps, step, sub


MIB = 1 << 20
DISK_SIZE = 8 * MIB         # as tools/image/mkdom0.py makes them
NAMES = ("one", "two", "three", "four")
FAULTY = os.path.join(ROOT, "tests", "sys", "domu", "faulty.S")
# Pages that are free, and those that Bulkhead has in use for the domains there are: dom0's own tables grow as it takes
# its memory apart page by page for the tools, and stay.
PAGES = ("xl dmesg -c >/dev/null; xl debug-keys m; xl dmesg | awk -v sum=$(freepages) "
         "'/ for it,/ { for (i = 2; i < NF; i++) if ($i == \"for\" && $(i + 1) == \"it,\") sum += $(i - 1) } END { print sum }'")
# All that a guest could leave behind: domains, memory, its disk's loop device, its network card, its store entries.
LEFT = ("xl list | awk 'NR > 1 { print $1 }'; " + PAGES + "; losetup -a; ip -o link | grep -c vif; "
        "xenstore-ls /local/domain/0/backend | grep -c frontend; xenstore-list /local/domain; ls /tmp")


def disk_hash(name):
    """Of the disk that guest NAME gets, as tools/image/mkdom0.py fills it."""
    return hashlib.sha256(random.Random(name).randbytes(DISK_SIZE)).hexdigest()


def config(name, number, vcpus, memory, more=""):
    """A guest's configuration, as a file for run_steps()."""
    return (f"/etc/xen/{name}.cfg", f"""name = "{name}"
kernel = "/guests/vmlinuz"
ramdisk = "/guests/domu.cpio.gz"
extra = "console=hvc0 rdinit=/init guest={name} address=192.168.77.1{number}/24"
memory = {memory}
vcpus = {vcpus}
disk = [ "/guests/{name}.img,raw,xvda,rw" ]
vif = [ "mac=00:16:3e:00:00:1{number},bridge=xenbr0" ]
{more}
""".encode())


def output(results, name):
    """Of a step that must have ended well."""
    assert name in results, f"{name} did not end"
    assert results[name].status == 0, f"{name} ended with {results[name].status}: {results[name].output}"
    return results[name].output


# ---- four guests at once

def four_configs():
    return [config("one", 1, 1, 64), config("two", 2, 2, 128), config("three", 3, 3, 256), config("four", 4, 4, 256)]


def send(source, target, path):
    """A file of SOURCE over TCP to TARGET ("dom0" is the control domain), which answers with a checksum of what came."""
    address = "192.168.77.1" + (str(NAMES.index(target) + 1) if target != "dom0" else "")
    listen, talk = "nc -l -p 5000 -e sha256sum", f"nc {address} 5000 <{path}"
    runs = [command if who == "dom0" else f"guest {who} '{command}'" for who, command in ((target, listen), (source, talk))]
    return f"{runs[0]} & sleep 1; {runs[1]}; wait"


def four_steps():
    steps = [step("before", PAGES), step("create", "for n in one two three four; do xl create -q /etc/xen/$n.cfg; done")]
    for name in NAMES:
        steps += [step("up-" + name, f"guest {name} --wait"),
                  step("cpus-" + name, f"guest {name} nproc"),
                  step("read-" + name, f"guest {name} 'sha256sum /dev/xvda'")]
    steps += [step("tcp-one-two", send("one", "two", "/dev/xvda")),
              step("tcp-four-three", send("four", "three", "/dev/xvda")),
              step("tcp-three-dom0", send("three", "dom0", "/dev/xvda")),
              step("tcp-dom0-two", send("dom0", "two", "/guests/one.img")),
              step("ring", "guest two 'dmesg | grep blkfront; ls /sys/block/xvda/mq; ls -d /sys/class/net/eth0/queues/tx*'")]
    for name in ("two", "four"):
        # Past the guest's cache, and past the control domain's.
        steps += [step("write-" + name, f"guest {name} 'dd if=/dev/urandom of=/dev/xvda bs=64k count=48 seek=16 conv=fsync "
                                        "2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/xvda'; "
                                        f"sha256sum /guests/{name}.img")]
    # What `xl mem-set` would write, if it did not abort on Arm.
    steps += [step("balloon-down", "xenstore-write /local/domain/$(xl domid three)/memory/target 160000; sleep 3; "
                                   "xl list three | awk 'NR > 1 { print $3 }'; freepages"),
              step("balloon-up", "xenstore-write /local/domain/$(xl domid three)/memory/target 262144; sleep 3; "
                                 "xl list three | awk 'NR > 1 { print $3 }'; freepages"),
              step("shutdown", "xl shutdown -a -w >/dev/null; sleep 1; xl list | wc -l"),
              step("after", PAGES)]
    return steps


@pytest.fixture(scope="module", params=[2, 4], ids=lambda smp: f"{smp}cpus")
def four(request):
    return run_steps(request.config.getoption("--hyp"), f"xl-four-{request.param}", four_steps(), four_configs(),
                     smp=request.param, dom0_vcpus=2, dom0_mem=768)


def test_four_guests_run(four):
    for number, name in enumerate(NAMES):
        assert output(four, "cpus-" + name) == str(number + 1)


def test_disks(four):
    for name in NAMES:
        assert output(four, "read-" + name).split()[0] == disk_hash(name)
    for name in ("two", "four"):
        in_guest, in_file = [line.split()[0] for line in output(four, "write-" + name).split("\n")]
        assert in_guest == in_file != disk_hash(name)


def test_network(four):
    for steps, sent in (("tcp-one-two", "one"), ("tcp-four-three", "four"), ("tcp-three-dom0", "three"),
                        ("tcp-dom0-two", "one")):
        assert disk_hash(sent) in output(four, steps)


def test_ways_of_the_rings(four):
    text = output(four, "ring")
    assert "persistent grants: enabled; indirect descriptors: enabled" in text
    assert "\n0  1\n" in text, "two queues for the disk"
    assert "tx-1" in text, "two queues for the network"


def test_ballooning(four):
    down, free_down = output(four, "balloon-down").split()
    up, free_up = output(four, "balloon-up").split()
    assert (down, up) == ("156", "256")
    assert int(free_down) - int(free_up) == (262144 - 160000) // 4


def test_four_leave_nothing(four):
    assert output(four, "shutdown") == "2"
    assert output(four, "after") == output(four, "before")


# ---- many lives

CYCLES = 40                 # of the smallest guest, without devices; and these of a stock Linux:
MOMENTS = (0.05, 0.3, 0.9)  # seconds after its creation when it is destroyed: in the middle of its boot


def faulty(name):
    """The kernel FAULT_name of faulty.S, as a file for run_steps()."""
    work = os.path.join(ROOT, "build", "test-logs", "faulty-" + name)
    tool = "aarch64-linux-gnu-"
    for command in ([tool + "gcc", "-nostdlib", "-c", "-DFAULT_" + name, FAULTY, "-o", work + ".o"],
                    [tool + "ld", "-Ttext=0", "-e", "0", "-o", work + ".elf", work + ".o"],
                    [tool + "objcopy", "-O", "binary", work + ".elf", work + ".bin"]):
        subprocess.run(command, check=True)
    with open(work + ".bin", "rb") as file:
        return (f"/root/{name}", file.read())


def faulty_config(name, more=""):
    return (f"/etc/xen/{name}.cfg", f'name = "{name}"\nkernel = "/root/{name}"\nmemory = 16\n{more}\n'.encode())


def cycle_steps():
    steps = [step("warm-up", "xl create -q /etc/xen/idle.cfg; xl create -q /etc/xen/one.cfg; guest one --wait; "
                             "xl destroy idle; xl destroy one; sleep 1"),
             step("before", LEFT),
             step("paused", f"for i in $(seq {CYCLES // 2}); do xl create -q -p /etc/xen/idle.cfg && xl destroy idle || exit 1; done"),
             step("running", f"for i in $(seq {CYCLES // 2}); do xl create -q /etc/xen/idle.cfg && xl destroy idle || exit 1; done")]
    for moment in MOMENTS:
        steps.append(step(f"boot-{moment}", f"xl create -q /etc/xen/one.cfg; sleep {moment}; xl destroy one"))
    steps += [step("traffic", "rm -f /var/log/xen/console/guest-*; "
                              "for n in one two; do xl create -q /etc/xen/$n.cfg; guest $n --wait; done; "
                              "guest two 'nc -l -p 5000 >/dev/null' & guest one 'nc 192.168.77.12 5000 </dev/zero' & "
                              "sleep 1; ip -s link show dev xenbr0 >/dev/null; xl destroy one; xl destroy two; sleep 1"),
              step("disk", "rm -f /var/log/xen/console/guest-*; xl create -q /etc/xen/one.cfg; guest one --wait; "
                           "guest one 'while :; do dd if=/dev/zero of=/dev/xvda bs=64k; done' & sleep 1; xl destroy one; sleep 1"),
              step("after", LEFT)]
    return steps


def test_cycles(hyp):
    results = run_steps(hyp, "xl-cycles", cycle_steps(), [faulty("idle"), faulty_config("idle"), *four_configs()[:2]],
                        smp=2)
    for name, result in results.items():
        assert result.status in (0, 1) if name in ("before", "after") else result.status == 0, f"{name}: {result}"
    assert results["after"].output == results["before"].output


# ---- faulty guests beside a good one

FAULTS = ("spin", "write", "jump", "calls", "events", "console")


def fault_steps():
    steps = [step("neighbour", "xl create -q /etc/xen/one.cfg; guest one --wait"),
             step("work", "guest one 'dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null; sha256sum /dev/xvda'"),
             step("before", PAGES)]
    for name in FAULTS:
        steps += [step(f"{name}-create", f"xl create -q /etc/xen/{name}.cfg"),
                  step(f"{name}-neighbour", "sleep 0.1; echo 3 >/proc/sys/vm/drop_caches; "
                                            "guest one 'echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/xvda; "
                                            "ping -c 1 -q 192.168.77.1 >/dev/null && echo alive'; sha256sum /guests/one.img"),
                  step(f"{name}-destroy", f"xl destroy {name}; sleep 0.5; " + PAGES + f"; xl list | grep -c {name}")]
    return steps


def test_faulty_guests(hyp):
    files = [four_configs()[0]]
    for name in FAULTS:
        files += [faulty(name), faulty_config(name)]
    results = run_steps(hyp, "xl-faulty", fault_steps(), files, smp=2)
    expected = output(results, "work").split()[0]
    for name in FAULTS:
        output(results, f"{name}-create")
        assert re.findall(r"[0-9a-f]{64}|alive", output(results, f"{name}-neighbour")) == [expected, "alive", expected], name
        assert results[f"{name}-destroy"].output == output(results, "before") + "\n0", name


# ---- what becomes of a guest that ends: the same as on Debian's Xen

ACTIONS = [("crash", "on_crash", action) for action in ("destroy", "preserve", "rename-restart", "coredump-destroy")] + \
          [("watchdog", "on_watchdog", action) for action in ("destroy", "preserve")]
STORY = (sub(r" +\d+\.\d\b", " T"), sub(r" [r-][b-]([p-][s-][c-][d-])(?= )", r" **\1"))


def action_steps():
    steps = []
    for name, key, action in ACTIONS:
        steps += [step(f"{key}-{action}", f"sed '$a {key} = \"{action}\"' /etc/xen/{name}.cfg >/tmp/a.cfg; "
                                          f"xl create -q /tmp/a.cfg; sleep 2; xl list; ls /var/lib/xen/dump 2>/dev/null | wc -l; "
                                          f"tail -n 3 /var/log/xen/xl-{name}.log | grep -o 'Domain .*'",
                       *STORY, drop(r"PID|background")),
                  step(f"{key}-{action}-end", f"for d in $(xl list | awk 'NR > 2 {{ print $2 }}'); do xl destroy $d; done; xl list; "
                                              f"rm -f /var/log/xen/xl-{name}.log* /var/lib/xen/dump/*", *STORY)]
    return steps


# ---- wrong configurations: refused as on Debian's Xen, and nothing left

WRONG = {
    "unknown-key": 'nonsense = "1"',
    "syntax": "memory = = 3",
    "no-name": 'name = ""',
    "no-kernel": 'kernel = "/guests/none"',
    "no-ramdisk": 'ramdisk = "/guests/none"',
    "not-a-kernel": 'kernel = "/etc/xen/xl.conf"',
    "corrupt-kernel": 'kernel = "/tmp/corrupt"',
    "short-kernel": 'kernel = "/tmp/short"',
    "empty-kernel": 'kernel = "/dev/null"',
    "too-much-memory": "memory = 5000",
    "no-memory": "memory = 0",
    "little-memory": "memory = 8",
    "many-cpus": "vcpus = 200",
    "no-cpus": "vcpus = 0",
    "no-bridge": 'vif = [ "bridge=nosuch" ]',
    "bad-mac": 'vif = [ "mac=00:16:3e:zz" ]',
    "no-disk": 'disk = [ "/guests/none.img,raw,xvda,rw" ]',
    "bad-disk": 'disk = [ "/guests/one.img,raw,nowhere,rw" ]',
    "bad-type": 'type = "hvm"',
    "pv-type": 'type = "pv"',
    "bad-cpus": 'cpus = "7-9"',
    "bad-action": 'on_crash = "explode"',
    "bad-pool": 'pool = "nosuch"',
    "bad-vuart": 'vuart = "nosuch"',
}


def wrong_steps():
    # A kernel without its magic word, and one that ends in the middle of its head.
    steps = [step("prepare", "head -c 100000 /guests/vmlinuz >/tmp/corrupt; printf 'XXXX' | dd of=/tmp/corrupt bs=1 seek=56 "
                             "conv=notrunc 2>/dev/null; head -c 40 /guests/vmlinuz >/tmp/short; " + LEFT)]
    for name, line in WRONG.items():
        steps.append(step(name, f"(grep -v '^{line.split()[0]} ' /etc/xen/one.cfg; echo '{line}') >/tmp/wrong.cfg; "
                                f"a=$({PAGES}); xl create -p /tmp/wrong.cfg; echo status $?; xl list | wc -l; "
                                f"xl destroy one 2>/dev/null; sleep 0.5; b=$({PAGES}); [ $a = $b ] && echo as before; "
                                + LEFT.replace(PAGES + "; ", ""), drop("^as before$")))
    return steps


STEPS = wrong_steps() + action_steps()


@pytest.fixture(scope="module")
def files():
    return [config("one", 1, 1, 128), faulty("crash"), faulty_config("crash"), faulty("watchdog"), faulty_config("watchdog")]


@pytest.fixture(scope="module")
def reference(files):
    return run_reference("xl-refused", STEPS, files)


@pytest.fixture(scope="module")
def product(request, files):
    return run_steps(request.config.getoption("--hyp"), "xl-refused", STEPS, files)


@pytest.mark.parametrize("one", STEPS[1:], ids=lambda one: one.name)
def test_same_end_as_on_xen(one, reference, product):
    assert one.name in reference, "did not end on Debian's Xen"
    assert one.name in product, "did not end"
    expected, got = reference[one.name], product[one.name]
    assert (got.status, normalised(one, got.output)) == (expected.status, normalised(one, expected.output))
    if one.name in WRONG:
        assert "as before" in got.output, "memory was lost"
