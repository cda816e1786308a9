# SPDX-License-Identifier: Apache-2.0
"""Physical CPUs off line and on again through the stock toolstack's library, while a stock guest works and counts its ticks.

Debian's Xen 4.17 has no such operation on arm64: there is no reference to run beside.
"""
import os
import random

import pytest
from conftest import LOGS, ROOT, log_path
from console import Console
from run import Machine
from test_arinc653 import compiled
from xl import results_of, script_of, step, write_script
from xl_domu import PAGES, noted, settled

SMP = 4
CPUS = os.path.join(ROOT, "tests", "sys", "cpus.c")
CHANGES, GROUPS, SEED = 50, 10, 6
LISTS = "xl info | sed -n 's/^nr_cpus *: //p'; xl cpupool-list -c | tail -n +2"
WHERE = "xl vcpu-list | awk 'NR > 1 { print $4 }' | sort -u"
PLACES = "xl vcpu-list one | awk 'NR > 1 { print $3, $4 }'"


def settled_at(*places):
    """Until the guest's last vCPUs are there: who has to give way does so in its own time. Then where they are."""
    look = f"at=$({PLACES} | tail -{len(places)})"
    return f"until {look}; [ \"$(echo \"$at\" | tr '\\n' ,)\" = '{','.join(places)},' ]; do sleep 0.1; done; echo \"$at\""


SWITCH = "\x01\x01\x01"
# A line every 50 ms of one vCPU's, while both have more to do than that.
BEATS = ("for i in 0 1; do while :; do :; done & done; "
         "while :; do cut -d\" \" -f1 /proc/uptime; sleep 0.05; done >/tmp/beats &")
LONGEST = ("awk \"NR > 1 && \\$1 - p > m { m = \\$1 - p } { p = \\$1 } END "
           "{ print (NR > 30 && m < 0.5) ? \\\"in time\\\" : NR \\\" \\\" m }\" /tmp/beats")

STALLS = "dmesg | grep -cE \"self-detected|detected stalls|blocked for more\""


def pool_line(name, cpus):
    return f"{name:19}{','.join(map(str, sorted(cpus)))}"


def changes():
    """CHANGES of them in GROUPS: [(command, the CPUs on line after it)]."""
    dice, online, groups = random.Random(SEED), set(range(SMP)), []
    for _ in range(GROUPS):
        words = []
        for _ in range(CHANGES // GROUPS):
            cpu = dice.choice([cpu for cpu in range(SMP) if online != {cpu}])
            words += ["off" if cpu in online else "on", str(cpu)]
            online ^= {cpu}
        groups.append(("cpus " + " ".join(words), set(online)))
    return groups + [("; ".join(f"cpus on {cpu}" for cpu in range(SMP) if cpu not in online) or ":", set(range(SMP)))]


def random_steps():
    """Everything is listed where it is said to be, after each group."""
    steps = []
    for number, (command, online) in enumerate(changes()):
        steps.append((f"group-{number}", f"{command} && {{ {LISTS}; }} && {WHERE} | grep -vxE '{'|'.join(map(str, online))}|-'", 1,
                      [str(len(online)), pool_line("Pool-0", online)]))
    return steps


ALL = [str(SMP), pool_line("Pool-0", range(SMP))]
BUSY = "Device or resource busy"

# (name, command, exit status, lines; None: not looked at)
STEPS = [
    ("create", "xl create /etc/xen/one.cfg vcpus=2 && guest one --wait", 0, None),
    ("work", f"guest one '{BEATS}'", 0, None),
    ("there", LISTS, 0, ALL),
    ("pages", noted(PAGES), 0, None),
    *random_steps(),
    ("pages-after", settled(PAGES), 0, None),
    ("beats", f"guest one '{LONGEST}'", 0, ["in time"]),
    ("quiet", f"guest one '{STALLS}'; {STALLS}", 1, ["0", "0"]),
    # where they would rather run: busy ones go over, and back
    ("soft", f"xl vcpu-pin one 0 - 3 && xl vcpu-pin one 1 - 2; {settled_at('0 3', '1 2')}", 0, ["0 3", "1 2"]),
    ("soft-others", f"xl vcpu-pin one 0 - 1 && xl vcpu-pin one 1 - 3; {settled_at('0 1', '1 3')}", 0, ["0 1", "1 3"]),
    # dom0's own work, at another time in each round, takes no place for good
    ("soft-gone", f"for s in 0.5 0.7 1 1.2; do cpus off 1 && sleep $s; {settled_at('1 3')}; "
     f"cpus on 1 && sleep $s; {settled_at('0 1', '1 3')}; done", 0, ["1 3", "0 1", "1 3"] * 4),
    ("soft-none", "xl vcpu-pin one all - all", 0, None),
    # who asks for what cannot be
    ("no-such", "cpus off 9", 1, ["off 9: Invalid argument"]),
    ("on-twice", "cpus on 2", 1, ["on 2: File exists"]),
    ("off-twice", "cpus off 2 off 2", 1, ["off 2: No such device"]),
    ("pinned", "cpus on 2 && xl vcpu-pin one 0 3 && cpus off 3", 1, [f"off 3: {BUSY}"]),
    ("why", "xl dmesg | grep -o 'CPU 3 stays.*'; xl vcpu-pin one 0 all", 0, ["CPU 3 stays on line: d1v0 has no other"]),
    # pools
    ("pool", "xl cpupool-cpu-remove Pool-0 3 && xl cpupool-create 'name=\"low\"' 'cpus=\"3\"' && xl cpupool-migrate one low && "
     "cpus off 3", 1, ["Using config file \"command line\"", "cpupool name:   low", "scheduler:      credit2",
                       "number of cpus: 1", f"off 3: {BUSY}"]),
    ("back", f"xl cpupool-migrate one Pool-0; cpus off 3; {LISTS}; cpus on 3; {LISTS}", 0,
     ["3", pool_line("Pool-0", (0, 1, 2)), "low", "4", pool_line("Pool-0", (0, 1, 2)), pool_line("low", (3,))]),
    ("gone", f"cpus off 3; xl cpupool-destroy low; cpus on 3; {LISTS}; xl cpupool-cpu-add Pool-0 3; {LISTS}", 0,
     ["4", pool_line("Pool-0", (0, 1, 2)), *ALL]),
    ("last", "cpus off 0 off 1 off 2 off 3; cpus on 2 on 1 on 0", 0, [f"off 3: {BUSY}"]),
    # the console's interrupt goes to another CPU; its keys find no harm in CPUs that are off
    ("keys", "cpus off 0 off 2; xl debug-keys hqrmidvt; until xl dmesg | grep -q 'Input goes to dom0'; do :; done; "
     "xl dmesg | grep -oE 'CPU [02]( does not take|: offline)' | sort -u; cpus on 0 on 2", 0,
     ["CPU 0: offline", "CPU 2: offline"]),
    ("runs", "guest one 'echo runs'", 0, ["runs"]),
    ("destroy", f"xl destroy one; sleep 1; xl list | wc -l; {LISTS}", 0, ["2", *ALL]),
]


@pytest.fixture(scope="module", params=[pytest.param(gic, marks=pytest.mark.xdist_group(f"xl_cpus{gic}")) for gic in (3, 2)])
def stock(request):
    name = f"xl-cpus-{request.param}"
    steps = [step("chmod", "chmod +x /bin/cpus")] + [step(what, command) for what, command, _, _ in STEPS]
    script = os.path.join(LOGS, name + ".sh")
    write_script(script_of(steps, [("/bin/cpus", compiled("cpus", CPUS))]), script)
    machine = Machine(request.config.getoption("--hyp"), smp=SMP, gic=request.param, dom0_vcpus=2, icount=True, xl=True,
                      script=script, reboot=False)
    with Console(machine, log_path(name)) as console:
        keys = [one[0] for one in STEPS].index("keys") + 1
        console.expect(rb"<%d:begin>" % keys, idle=600)
        console.send(SWITCH)
        console.expect(rb"Input goes to the hypervisor now", idle=120)
        console.send("r" + SWITCH)
        console.expect(rb"<script:end>", idle=600)
        assert console.expect_end() == 0
    return results_of(steps, console.data)


@pytest.mark.parametrize("name, command, status, lines", STEPS, ids=[one[0] for one in STEPS])
def test_stock_library(stock, name, command, status, lines):
    assert name in stock, f"did not end: {command}"
    got = stock[name]
    print(got.output)
    assert got.status == status, got.output
    if lines is not None:
        assert [line.rstrip() for line in got.output.split("\n")] == lines


def test_nothing_is_kept(stock):
    """As much memory is free after the changes as before."""
    assert stock["pages"].output == stock["pages-after"].output != ""
