# SPDX-License-Identifier: Apache-2.0
"""Guests of the stock toolstack: what they leave behind, and faulty ones beside a good one.

Each test is one run of a machine (tests/sys/xl.py): a list of commands whose output is known in advance.
"""
import os
import re
import subprocess
import tempfile

from conftest import ROOT
from xl import run_steps, step
from xl_domu import LEFT, PAGES, config, noted, output, settled

FAULTY = os.path.join(ROOT, "tests", "sys", "domu", "faulty.S")
CONFIGS = [config("one", 1, 1, 128), config("two", 2, 2, 128)]


# ---- many lives

CYCLES = 200                # of the smallest guest, without devices; and these of a stock Linux:
MOMENTS = (0.05, 0.3, 0.9)  # seconds after its creation when it is destroyed: in the middle of its boot


def faulty(name):
    """The kernel FAULT_name of faulty.S, as a file for run_steps()."""
    tool = "aarch64-linux-gnu-"
    # Not among the logs: another process may be making the same one.
    with tempfile.TemporaryDirectory() as work:
        for command in ([tool + "gcc", "-nostdlib", "-c", "-DFAULT_" + name, FAULTY, "-o", "it.o"],
                        [tool + "ld", "-Ttext=0", "-e", "0", "-o", "it.elf", "it.o"],
                        [tool + "objcopy", "-O", "binary", "it.elf", "it.bin"]):
            subprocess.run(command, cwd=work, check=True)
        with open(os.path.join(work, "it.bin"), "rb") as file:
            return (f"/root/{name}", file.read())


def faulty_config(name, more=""):
    return (f"/etc/xen/{name}.cfg", f'name = "{name}"\nkernel = "/root/{name}"\nmemory = 16\n{more}\n'.encode())


# Ends a step at whatever fails. under_way FILE N: waits until the counter in the file has reached N, and until it goes on.
UNDER_WAY = """set -e
rm -f /var/log/xen/console/guest-*
under_way() {
    until [ $(cat $1) -ge $2 ]; do sleep 0.05; done
    last=$(cat $1)
    until [ $(cat $1) -gt $last ]; do sleep 0.01; done
}
"""
# On port 5000, in the background; ends when one may connect. nc ends the connection when its input ends.
LISTEN = "sleep 1000 | nc -l -p 5000 >/dev/null 2>&1 & until grep -q :1388.*:0000.0A /proc/net/tcp*; do sleep 0.05; done"


def cycle_steps():
    steps = [step("warm-up", "xl create -q /etc/xen/idle.cfg; xl create -q /etc/xen/one.cfg; guest one --wait; "
                             "xl destroy idle; xl destroy one; sleep 1"),
             step("before", noted(LEFT)),
             step("paused", f"for i in $(seq {CYCLES // 2}); do xl create -q -p /etc/xen/idle.cfg && xl destroy idle || exit 1; done"),
             step("running", f"for i in $(seq {CYCLES // 2}); do xl create -q /etc/xen/idle.cfg && xl destroy idle || exit 1; done")]
    for moment in MOMENTS:
        steps.append(step(f"boot-{moment}", f"rm -f /var/log/xen/console/guest-*; xl create -q /etc/xen/one.cfg; sleep {moment}; "
                                            "! grep 'is up' /var/log/xen/console/guest-one.log && xl destroy one"))
    steps += [step("traffic", UNDER_WAY + "for n in one two; do xl create -q /etc/xen/$n.cfg; guest $n --wait; done; "
                              f"guest two '{LISTEN}'; guest one 'nc 192.168.77.12 5000 </dev/zero >/dev/null 2>&1 &'; "
                              "received=/sys/class/net/vif$(xl domid two).0/statistics/tx_bytes; "
                              "under_way $received 1000000; xl destroy one; xl destroy two; sleep 1"),
              step("disk", UNDER_WAY + "xl create -q /etc/xen/one.cfg; guest one --wait; "
                           "guest one 'while :; do dd if=/dev/zero of=/dev/xvda bs=64k; done >/dev/null 2>&1 &'; "
                           "written=/sys/bus/xen-backend/devices/vbd-$(xl domid one)-51712/statistics/wr_sect; "
                           "under_way $written 10000; xl destroy one; sleep 1"),
              step("after", settled(LEFT))]
    return steps


def test_cycles(hyp):
    results = run_steps(hyp, "xl-cycles", cycle_steps(), [faulty("idle"), faulty_config("idle"), *CONFIGS], smp=1)
    for name, result in results.items():
        assert result.status == 0, f"{name}: {result}"
    assert results["after"].output == results["before"].output


# ---- faulty guests beside a good one

FAULTS = ("spin", "write", "jump", "calls", "events", "console")


def fault_steps():
    steps = [step("neighbour", "xl create -q /etc/xen/one.cfg; guest one --wait"),
             step("work", "guest one 'dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null; sha256sum /dev/xvda'"),
             # The first guest of a kind leaves pages of small objects behind, which the next ones use.
             step("warm-up", "xl create -q /etc/xen/write.cfg; sleep 0.1; xl destroy write; sleep 3"),
             step("before", noted(PAGES))]
    for name in FAULTS:
        steps += [step(f"{name}-create", f"xl create -q /etc/xen/{name}.cfg"),
                  step(f"{name}-neighbour", "sleep 0.1; echo 3 >/proc/sys/vm/drop_caches; "
                                            "guest one 'echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/xvda; "
                                            "ping -c 1 -q 192.168.77.1 >/dev/null && echo alive'; sha256sum /guests/one.img"),
                  step(f"{name}-destroy", f"xl destroy {name}; " + settled(PAGES) + f"; xl list | grep -c {name}")]
    return steps


# One CPU: QEMU's instruction clock gives one that spins nearly all the time of one that often sets its timer.
def test_faulty_guests(hyp):
    files = [CONFIGS[0]]
    for name in FAULTS:
        files += [faulty(name), faulty_config(name)]
    results = run_steps(hyp, "xl-faulty", fault_steps(), files, smp=1)
    expected = output(results, "work").split()[0]
    for name in FAULTS:
        output(results, f"{name}-create")
        assert re.findall(r"[0-9a-f]{64}|alive", output(results, f"{name}-neighbour")) == [expected, "alive", expected], name
        assert results[f"{name}-destroy"].output == output(results, "before") + "\n0", name
