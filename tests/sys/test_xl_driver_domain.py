# SPDX-License-Identifier: Apache-2.0
"""A driver domain that dies again and again while a stock guest uses the disk and the network card that it serves.

One run of a machine (tests/sys/xl.py). DRIVER_DOMAIN_LIVES in the environment makes it die more or less often than the
50 times of ./check. docs/driver-domains.md says what is right when.
"""
import base64
import hashlib
import os
import random
import re

from conftest import ROOT
from xl import run_steps, step
from xl_domu import LEFT, noted, output, settled

LIVES = int(os.environ.get("DRIVER_DOMAIN_LIVES", "50"))
# Of so many lives the second ends by a panic of its kernel, the third while something more urgent keeps its backends' threads
# from the CPU, so that (in 11 of 12) frames are answered in part, the others at any moment.
KINDS = 4
MIB = 1 << 20
DISK = "four"               # of tools/image/mkdom0.py: 8 MiB that follow from the name
BLOCKS = 256
# Who writes what where on the disk, in MiB: through the cache and with fsync, and past it.
SIZE = MIB // 4
DISKS = {"cached": (0, 65536, "conv=fsync"), "direct": (1, SIZE, "oflag=direct")}
AT_BLOCKS = 2
DOM0 = "192.168.77.1"
TRAFFIC = os.path.join(ROOT, "tests", "sys", "domu", "traffic.sh")
UP = "guest driver --wait"

CONFIGS = [("/etc/xen/driver.cfg", f"""name = "driver"
uuid = "5d2f9a1e-0000-4000-8000-00000000d001"
driver_domain = 1
kernel = "/guests/vmlinuz"
ramdisk = "/guests/driver.cpio.gz"
extra = "console=hvc0 rdinit=/init guest=driver cma=0 panic=-1 xen_netfront.trusted=0"
memory = 160
on_reboot = "destroy"
disk = [ "/guests/{DISK}.img,raw,xvdb,rw" ]
vif = [ "bridge=xenbr0" ]
""".encode()), ("/etc/xen/one.cfg", b"""name = "one"
kernel = "/guests/vmlinuz"
ramdisk = "/guests/domu.cpio.gz"
extra = "console=hvc0 rdinit=/init guest=one address=192.168.77.11/24 cma=0"
memory = 128
disk = [ "backend=driver,vdev=xvda,format=raw,access=rw,target=/dev/xvdb" ]
vif = [ "backend=driver,bridge=xenbr0,mac=00:16:3e:00:00:11" ]
""")]

# nc ends when its input does.
NEVER = "sleep 100000"
QUIET = ">/dev/null 2>&1 </dev/null &"
BOOT = f"driver-domain restart /etc/xen/driver.cfg && {UP} && xl create -q /etc/xen/one.cfg && guest one --wait"
END = "xl destroy one; xl destroy driver; sleep 2; rm /var/log/xen/console/guest-*"


def setup_steps():
    with open(TRAFFIC, "rb") as file:
        text = base64.b64encode(file.read()).decode()
    half = len(text) // 2
    work = ["(sh /run/traffic send up | nc %s 5000)" % DOM0, f"({NEVER} | nc {DOM0} 5001 | sh /run/traffic receive down)",
            f"sh /run/traffic blocks {AT_BLOCKS} {BLOCKS}"]
    work += [f"sh /run/traffic disk {name} {where} {SIZE} {size} {flag}" for name, (where, size, flag) in DISKS.items()]
    return [
        # The first ones leave pages of small objects behind, which the next ones use.
        step("warm-up", f"ip link set xenbr0 address 02:00:00:00:00:01; {BOOT} && {END}"),
        step("before", noted(LEFT)),
        step("boot", BOOT),
        step("dom0-work", f"({NEVER} | nc -l -p 5000 | sh /run/traffic receive up) {QUIET} "
                          f"(sh /run/traffic send down | nc -l -p 5001) {QUIET}"),
        # One line for a terminal is 4095 characters at most.
        step("guest-script", f"guest one 'echo {text[:half]} >/run/text'; guest one 'echo {text[half:]} >>/run/text; "
                             "base64 -d /run/text >/run/traffic; dmesg -n 1; : >/run/bad'; : >/run/bad"),
        step("guest-work", " && ".join(f"guest one '{one} {QUIET}'" for one in work)),
    ]


def is_held(life):
    return life % KINDS == 2


def kill_command(life, rng):
    """At a moment that does not follow from what the guest does."""
    wait = f"sleep {rng.random() / 5:.3f}; cat /proc/uptime; "
    if life % KINDS == 1:
        return wait + "guest driver '(sleep 0.1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &'; " \
                      "while xl domid driver >/dev/null 2>&1; do sleep 0.05; done; rm /var/log/xen/console/guest-driver.log"
    if is_held(life):
        wait += "guest driver '(sleep 0.1; chrt -f 50 sh -c \"while :; do :; done\") >/dev/null 2>&1 &'; sleep 0.6; "
    return wait + "xl destroy driver; rm /var/log/xen/console/guest-driver.log"


def life_steps(lives):
    rng = random.Random(lives)
    moved = f"guest one 'sh /run/traffic moved {' '.join(DISKS)} blocks down; [ ! -s /run/bad ]' && sh /run/traffic moved up"
    steps = [step("moved", moved)]
    why = ("guest one 'dmesg | tail -n 20; grep xen /proc/interrupts; cat /proc/net/dev'; guest driver 'dmesg | tail -n 20; grep xen /proc/interrupts; cat /proc/net/dev; ps'; "
           "xenstore-ls -f | grep /state; xl debug-keys q; xl dmesg | tail -n 40; exit 1")
    for life in range(lives):
        steps += [step(f"kill-{life}", kill_command(life, rng)),
                  step(f"restart-{life}", "driver-domain restart /etc/xen/driver.cfg && " + UP),
                  step(f"moved-{life}", f"{moved} && [ ! -s /run/bad ] || {{ {why}; }}")]
    return steps


def end_steps():
    ends = " ".join(f"{name}.end" for name in (*DISKS, "blocks"))
    return [
        step("stop", f"touch /run/stop; guest one 'touch /run/stop; cd /run; until cat {ends} up.sent down.received; do "
                     "sleep 0.1; done 2>/dev/null >/dev/null'; "
                     "until [ -e /run/up.received ] && [ -e /run/down.sent ]; do sleep 0.1; done"),
        step("bad", "guest one 'cat /run/bad'; cat /run/bad"),
        step("kernel", "guest one 'dmesg | grep -iE \"error|disabled for|inactive|bogus|incorrect\"'; true"),
        step("counts", f"guest one 'cd /run; head {ends} up.sent down.received'; cd /run; head up.received down.sent"),
        step("gaps", "guest one 'cd /run; head -n 1000 blocks.gaps down.gaps'; head -n 1000 /run/up.gaps /dev/null; true"),
        step("guest-sees", f"guest one 'dd if=/dev/xvda bs=64k count={8 * MIB >> 16} iflag=direct 2>/dev/null | sha256sum'"),
        step("end", END),
        step("dom0-sees", f"sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum /guests/{DISK}.img"),
        step("after", settled(LEFT)),
    ]


# ---- what must come out

def numbers(text):
    """{name: [numbers]} of what `head` said of files."""
    found = re.split(r"==> (\S+) <==\n?", text)[1:]
    return {name: [int(word) for word in words.split()] for name, words in zip(found[::2], found[1::2])}


def filled(words, size):
    return ((words + "\n") * (size // len(words) + 1)).encode()[:size]


def disk_after(counts):
    """The disk when all have written as often as they say."""
    data = bytearray(random.Random(DISK).randbytes(8 * MIB))
    for name, (where, _, _) in DISKS.items():
        data[where * MIB:where * MIB + SIZE] = filled(f"{name} {counts[name + '.end'][0]}", SIZE)
    last = counts["blocks.end"][0]
    for number in range(max(1, last - BLOCKS + 1), last + 1):
        at = AT_BLOCKS * MIB + number % BLOCKS * 4096
        data[at:at + 4096] = filled(f"block {number}", 4096)
    return hashlib.sha256(data).hexdigest()


def outages(results):
    """What the guest waited for its disk, and both ends for their stream, in virtual seconds."""
    lines = []
    for name, gaps in numbers(output(results, "gaps")).items():
        if gaps:
            lines.append(f"{os.path.basename(name)}: {len(gaps)} gaps, {min(gaps) / 100} to {max(gaps) / 100} s, "
                         f"median {sorted(gaps)[len(gaps) // 2] / 100} s")
    return lines


def overtaken(results, life):
    """Of the requests that the dead backend had not answered, how many of them before some that it had."""
    found = re.search(r"\d+ requests without an answer, (\d+) of them overtaken", output(results, f"restart-{life}"))
    return int(found[1]) if found else 0


def test_lives(hyp):
    with open(TRAFFIC, "rb") as file:
        files = [*CONFIGS, ("/run/traffic", file.read())]
    results = run_steps(hyp, "xl-driver-domain", setup_steps() + life_steps(LIVES) + end_steps(), files, smp=1,
                        hyp_args="xsm=dummy")
    for life in range(LIVES):
        for name in ("kill", "restart", "moved"):
            output(results, f"{name}-{life}")
    assert output(results, "bad") == ""
    assert output(results, "kernel") == ""
    counts = numbers(output(results, "counts"))
    assert counts["up.sent"] == counts["up.received"] and counts["down.sent"] == counts["down.received"]
    assert output(results, "guest-sees").split()[0] == disk_after(counts)
    assert output(results, "dom0-sees").split()[0] == disk_after(counts)
    assert results["after"].output == results["before"].output
    held = [life for life in range(LIVES) if is_held(life)]
    assert not held or any(overtaken(results, life) for life in held)
    print(f"\n{LIVES} lives: {counts}", f"overtaken: {[overtaken(results, life) for life in range(LIVES)]}", *outages(results), sep="\n")
