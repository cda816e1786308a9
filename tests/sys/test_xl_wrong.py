# SPDX-License-Identifier: Apache-2.0
"""Guests that cannot be made, and guests that end: the same exit status, words and remains as on Debian's own Xen 4.17.
And guests that attack, beside good ones.

One list of commands runs once on Debian's Xen and once on the hypervisor in test (tests/sys/xl.py).
"""
import os
import re

import pytest
from conftest import ROOT
from test_xl_guests import faulty
from xl import normalised, run_reference, run_steps, step, sub
from xl_domu import LEFT, PAGES, config, noted, settled

# CPU time; whether a vCPU just runs or waits.
LIST = (sub(r" +\d+\.\d\b", " T"), sub(r" [r-][b-]([p-][s-][crswS-][d-])(?= )", r" **\1"))
# A script's process; how many there were before it depends on how often what is left was looked at.
PROCESS = sub(r" \[\d+\] exited", " [P] exited")

# One CPU: under the instruction clock two busy CPUs wait for each other, and a guest that waits for its console is busy.
MACHINE = {"smp": 1}

# ---- wrong configurations

# The smallest guest there is: its kernel waits for ever.
RIGHT = """name = "right"
kernel = "/root/idle"
memory = 16
"""
# Lines in place of those of RIGHT that begin with the same word, or besides them.
WRONG = {
    "unknown-key": 'nonsense = "1"',
    "syntax": "memory = = 3",
    "no-quote": 'ramdisk = "/guests/domu.cpio.gz',
    "number-for-text": "disk = 3",
    "text-for-number": 'memory = "much"',
    "empty-name": 'name = ""',
    "name-taken": 'name = "taken"',
    "no-kernel": 'kernel = "/guests/none"',
    "kernel-folder": 'kernel = "/guests"',
    "empty-kernel": 'kernel = "/root/empty"',
    "short-kernel": 'kernel = "/root/short"',
    "text-kernel": 'kernel = "/etc/xen/xl.conf"',
    "corrupt-kernel": 'kernel = "/root/corrupt"',
    "vast-kernel": 'kernel = "/root/vast"',
    "no-ramdisk": 'ramdisk = "/guests/none"',
    "vast-ramdisk": 'ramdisk = "/guests/vmlinuz"',
    "too-much-memory": "memory = 5000",
    "no-memory": "memory = 0",
    "no-cpus": "vcpus = 0",
    "too-many-cpus": "vcpus = 200",
    "more-cpus-than-most": "vcpus = 2\nmaxvcpus = 1",
    "no-such-cpu": 'cpus = "7-9"',
    "no-such-pool": 'pool = "nosuch"',
    "no-such-bridge": 'vif = [ "bridge=nosuch" ]',
    "bad-mac": 'vif = [ "mac=00:16:3e:zz" ]',
    "no-such-script": 'vif = [ "bridge=xenbr0,script=nosuch" ]',
    "no-disk": 'disk = [ "/guests/none.img,raw,xvda,rw" ]',
    "second-disk-missing": 'disk = [ "/guests/one.img,raw,xvda,rw", "/guests/none.img,raw,xvdb,rw" ]',
    "bad-disk": 'disk = [ "/guests/one.img,raw,nowhere,rw" ]',
    "bad-format": 'disk = [ "/guests/one.img,nosuch,xvda,rw" ]',
    "same-disk-twice": 'disk = [ "/guests/one.img,raw,xvda,rw", "/guests/two.img,raw,xvda,rw" ]',
    "hvm": 'type = "hvm"',
    "pv": 'type = "pv"',
    "bad-type": 'type = "nosuch"',
    "bad-action": 'on_crash = "explode"',
    "bad-uuid": 'uuid = "1"',
    "no-such-backend": 'vif = [ "backend=nosuch" ]',
    "no-such-device-tree": 'device_tree = "/guests/none"',
}


def image(size, magic=b"ARM\x64"):
    """The head of an arm64 Image of that size in memory, and one instruction, a branch to itself."""
    return b"\0\0\0\x14" + bytes(12) + size.to_bytes(8, "little") + bytes(32) + magic + bytes(4)


def wrong_files():
    """Configurations, broken kernels, and the programs that the steps call."""
    files = [faulty("idle"), ("/root/empty", b""), ("/root/short", image(4096)[:40]), ("/root/vast", image(1 << 30)),
             ("/root/corrupt", image(4096, b"XXXX")), ("/root/left", LEFT.encode()),
             ("/etc/xen/taken.cfg", RIGHT.replace("right", "taken").encode())]
    for name, more in WRONG.items():
        keys = [line.split()[0] for line in more.split("\n")]
        right = [line for line in RIGHT.split("\n") if line.split(" ")[0] not in keys]
        files.append((f"/etc/xen/{name}.cfg", "\n".join([*right, more, ""]).encode()))
    return files


# Only the guest "taken", the first one, is there before and after; one that a configuration made after all is shown,
# and goes.
MAKE = ("xl create -p {cfg}; echo status $?; xl list; "
        "for id in $(xenstore-list /local/domain); do [ $id -le 1 ] || xl destroy $id; done; "
        "for t in 0.1 0.5 2; do sleep $t; sh /root/left >/run/now; cmp -s /run/left /run/now && break; done || cat /run/left /run/now")

# That is each hypervisor's own: Xen keeps a page now and then.
LEFT_BEHIND = re.compile(r"\n^Domain-0$(\n.*)*", re.MULTILINE)


def wrong_steps():
    # The first guest beside another leaves pages of small objects behind, which the next ones use.
    steps = [step("taken", "xl create -q -p /etc/xen/taken.cfg; xl create -q -p /etc/xen/unknown-key.cfg; xl destroy right; "
                           "sleep 3; sh /root/left >/run/left")]
    steps += [step(name, MAKE.format(cfg=f"/etc/xen/{name}.cfg"), *LIST, PROCESS, lambda text: LEFT_BEHIND.sub("", text))
              for name in [*WRONG, "no-file"]]
    return steps + [step("taken-goes", "xl destroy taken; xl list", *LIST)]


# ---- guests that end

# What a guest does when somebody types on its console, the key that says what is to follow, and the action there.
# "timeout" starts a watchdog, which ends it a second later.
ENDS = [(end, "on_" + end, action) for end in ("poweroff", "reboot", "crash", "watchdog")
        for action in ("destroy", "restart", "preserve", "rename-restart")] + \
       [("crash", "on_crash", "coredump-destroy"), ("timeout", "on_watchdog", "coredump-restart"),
        ("timeout", "on_watchdog", "destroy"), ("suspend", "on_poweroff", "destroy"),
        ("softreset", "on_soft_reset", "soft-reset"), ("softreset", "on_soft_reset", "destroy")]
# Arguments: name, action. Beside each guest xl leaves a process that sees to its end, and writes down how.
LIFE = r"""
name=$1 log=/var/log/xen/xl-$1.log
mkdir -p /var/lib/xen/dump
# Until the file holds as many such lines.
wait_for() { n=0; until [ "$(cat $2 2>/dev/null | grep -c "$1")" -ge ${3:-1} ] || [ $n -ge 250 ]; do n=$((n + 1)); sleep 0.1; done; }
xl create -q /etc/xen/$name.cfg || exit
wait_for ^now: /var/log/xen/console/guest-$name.log
echo >$(xenstore-read /local/domain/$(xl domid $name)/console/tty)
case $2 in
*restart) wait_for ^Waiting $log 2 ;;
*) wait_for ^Done $log ;;
esac
xl list
cat $log
for file in /var/lib/xen/dump/*; do [ ! -e $file ] || echo core of $(stat -c %s $file); done
rm -f /var/lib/xen/dump/*
for id in $(xenstore-list /local/domain); do [ $id = 0 ] || xl destroy $id; done
sleep 0.1
xl list
"""
WHEN_AND_WHO = sub(r"\d{8}T\d{4}Z|\[pid \d+\]", "N")
# To the last page: the one that a guest's shared page replaces stays in the guest on Xen, and is given back by Bulkhead.
CORE = sub(r"(core of \d{3})\d{5}", r"\1N")


def end_files():
    with open(os.path.join(ROOT, "build", "guests", "domu_end.bin"), "rb") as file:
        files = [("/root/end", file.read()), ("/root/life", LIFE.encode())]
    for end, key, action in ENDS:
        text = f'name = "{end}-{action}"\nkernel = "/root/end"\nextra = "{end}"\nmemory = 16\n{key} = "{action}"\n'
        files.append((f"/etc/xen/{end}-{action}.cfg", text.encode()))
    return files


def end_steps():
    return [step(f"{end}-{action}", f"sh /root/life {end}-{action} {action}", *LIST, WHEN_AND_WHO, CORE)
            for end, _, action in ENDS]


STEPS = wrong_steps() + end_steps()


@pytest.fixture(scope="module")
def files():
    return wrong_files() + end_files()


@pytest.fixture(scope="module")
def reference(files):
    return run_reference("xl-wrong", STEPS, files, **MACHINE)


@pytest.fixture(scope="module")
def product(request, files):
    return run_steps(request.config.getoption("--hyp"), "xl-wrong", STEPS, files, **MACHINE)


@pytest.mark.xdist_group("xl-wrong")
@pytest.mark.parametrize("one", STEPS, ids=lambda one: one.name)
def test_same_as_xen(one, reference, product):
    assert one.name in reference, "did not end on Debian's Xen"
    assert one.name in product, "did not end"
    expected, got = reference[one.name], product[one.name]
    assert (got.status, normalised(one, got.output)) == (expected.status, normalised(one, expected.output))
    assert one.name not in WRONG or not LEFT_BEHIND.search(got.output), got.output


# ---- guests that attack

# name: its program and how many CPUs it has. "calls" makes hypercalls with random arguments and then says what came of
# it, the others never end: event channels, grants, nonsense for the daemons of console and store.
ATTACKS = {"calls": ("hc_hostile", 1), "events": ("domu_flood", 1), "grants": ("domu_flood", 1),
           "console": ("domu_flood", 1), "store": ("domu_flood", 1)}
# A disk read past all caches, a packet each way, and the time, all by way of the control domain.
WORK = ("cut -d' ' -f1 /proc/uptime; echo 3 >/proc/sys/vm/drop_caches; "
        "guest one 'echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/xvda; ping -c 1 -q 192.168.77.1 >/dev/null && echo alive'; "
        "sha256sum /guests/one.img; cut -d' ' -f1 /proc/uptime")
# With the end of its line: the daemon may have got a part of it.
VERDICT = ("cd /var/log/xen/console; n=0; until grep -q ^GUEST guest-calls.log && [ -z \"$(tail -c 1 guest-calls.log)\" ] || "
           "[ $n -ge 300 ]; do n=$((n + 1)); sleep 0.1; done; cat guest-calls.log")


def attack_files():
    files = [config("one", 1, 1, 128)]
    for image in sorted({image for image, _ in ATTACKS.values()}):
        with open(os.path.join(ROOT, "build", "guests", image + ".bin"), "rb") as file:
            files.append((f"/root/{image}", file.read()))
    for name, (image, vcpus) in ATTACKS.items():
        files.append((f"/etc/xen/{name}.cfg", f'name = "{name}"\nkernel = "/root/{image}"\nextra = "{name}"\nmemory = 16\n'
                                              f'vcpus = {vcpus}\non_poweroff = "preserve"\n'.encode()))
    return files


def attack_steps():
    steps = [step("neighbour", "xl create -q /etc/xen/one.cfg; guest one --wait"),
             step("write", "guest one 'dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null; sha256sum /dev/xvda'"),
             # The first guest of a kind leaves pages of small objects behind, which the next ones use.
             step("warm-up", "xl create -q /etc/xen/grants.cfg; sleep 0.1; xl destroy grants; sleep 3"),
             step("alone", WORK), step("before", noted(PAGES))]
    for name in ATTACKS:
        steps += [step(f"{name}-create", f"xl create -q /etc/xen/{name}.cfg; sleep 0.2; xl list {name} | wc -l"),
                  step(f"{name}-work", WORK)]
        if name == "calls":
            steps.append(step("verdict", VERDICT))
        steps.append(step(f"{name}-destroy", f"xl destroy {name}; " + settled(PAGES)))
    return steps


def work_of(results, name):
    """What the guest and the control domain answered, and how many seconds that took."""
    lines = results[name].output.split("\n")
    return re.findall(r"\b[0-9a-f]{64}\b|^alive$", results[name].output, re.MULTILINE), float(lines[-1]) - float(lines[0])


@pytest.mark.xdist_group("xl-attacks")
def test_attacks(hyp):
    results = run_steps(hyp, "xl-attacks", attack_steps(), attack_files(), **MACHINE)
    digest = results["write"].output.split()[0]
    answers, alone = work_of(results, "alone")
    assert answers == [digest, "alive", digest]
    for name in ATTACKS:
        assert results[f"{name}-create"].output == "2", f"{name} did not stay"
        answers, took = work_of(results, f"{name}-work")
        assert answers == [digest, "alive", digest], name
        # Of two that want the CPU each gets half.
        assert took < 3 * alone, f"{name}: {took} s instead of {alone} s"
        assert results[f"{name}-destroy"] == results["before"], name
    assert "\nGUEST PASS 2" in results["verdict"].output
