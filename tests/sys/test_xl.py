# SPDX-License-Identifier: Apache-2.0
"""The stock toolstack's commands: the same exit status and the same output as on Debian's own Xen 4.17.

The list below runs once on Debian's Xen and once on the hypervisor in test; each command is a test. What may differ is
named beside the command, and nowhere else.
"""
import pytest
from xl import drop, normalised, run_reference, run_steps, step, sub

pytestmark = pytest.mark.xdist_group("xl")

# ---- what may differ, and why

# Who built the hypervisor, when, with what, and how much memory it needs itself. Bulkhead has no virtual performance
# monitor, no 32-bit kernels.
BUILD = sub(r"^(xen_extra|xen_version|xen_changeset|cc_compiler|cc_compile_by|cc_compile_domain|cc_compile_date|build_id"
            r"|free_memory|virt_caps|xen_caps) +:.*", r"\1 : N")
NODE_FREE = sub(r"^( +\d+: +\d+) +\d+ ", r"\1 N ")
# CPU time, run time.
TIME = sub(r" +\d+\.\d\b", " T")
UPTIME = sub(r"\d+:\d\d:\d\d", "T")
# Whether a vCPU just runs or waits, and where.
RUNS = sub(r" [r-][b-]([p-](?:[s-][c-][d-])?)(?= )", r" **\1")
WHERE = sub(r"^(\S+ +\d+ +\d+ +)\d+ ", r"\1C ")
# Made anew each time.
UUID = sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID")
LATENCY = sub(r"time=\S+|= [\d./]+ ms| +\d+ ns", "T")
# Whether a guest just runs or waits; CPU time and percentage; packets and sectors, in which the guests' own background
# noise counts; and the page that a guest's shared page replaces: Bulkhead gives it back, Xen keeps it.
TOP = sub(r"^( *\S+ [-d][-s])[-b]([-c][-p])[-r] +\d+ +\d+\.\d ", r"\1*\2* N N ")
TRAFFIC = sub(r"^( *(?:one|two) \S+ N N) +\d+( +\S+ +\d+ +\S+ +\d+ +\d+) +\d+ +\d+ +(\d+) .*", r"\1 M\2 N N \3")
# The words of a guest's kernel are test_klog.py's matter.
KERNEL = drop(r"^\[ +\d+\.\d+\] ")
# A console begins with what its guest said before; its shell asks for the cursor's place whenever it gets to it.
TYPED = (KERNEL, sub(r"\x1b\[6n", ""), sub(r"\A(.*\n)*(?=.*# echo con)", ""))
# Which grant references a guest's kernel has free depends on what it has freed by then.
RINGS = sub(r"^(\d+ .* )\d+(/\d+)? +(/local/.*)", r"\1N \3")

LIST = (TIME, RUNS)
VCPUS = (TIME, RUNS, WHERE)
BIN = "/usr/lib/xen-4.17/bin"


def until(condition):
    """Waits for what another vCPU or a daemon does in its own time."""
    return f"until {condition}; do sleep 0.1; done"


def typed(command, *lines, first=":"):
    """The command on a terminal; when FIRST has ended, the lines are typed a second after each other, then Ctrl-]."""
    typing = "".join(f"sleep 1; echo '{line}'; " for line in lines)
    return f"({first}; {typing}sleep 3; printf '\\035'; sleep 1) | script -qec '{command}' /dev/null"


def connected(kind, number):
    """Until guest one has that many network cards or disks, all in state 4."""
    state = {"network": 5, "block": 4}[kind]
    return until(f"[ \"$(xl {kind}-list one | awk 'NR > 1 {{ printf $%d }}')\" = {'4' * number} ]" % state)


def vcpus_on_line(number):
    """Until so many of guest two's are."""
    return until(f"[ $(xl vcpu-list two | awk 'NR > 1 && $4 != \"-\"' | wc -l) = {number} ]")


GONE = until("! xl domid one >/dev/null 2>&1") + "; sleep 1"


STEPS = [
    # the machine
    step("info", "xl info", BUILD),
    step("info-numa", "xl info -n", BUILD, NODE_FREE),
    step("list", "xl list", *LIST),
    step("list-verbose", "xl list -v", *LIST),
    step("list-long", "xl list -l"),
    step("vm-list", "xl vm-list"),
    # The log itself is each hypervisor's own.
    step("dmesg", "xl dmesg >/tmp/dmesg; echo $?; [ $(wc -l </tmp/dmesg) -gt 5 ] && head -c 5 /tmp/dmesg >/dev/null"),
    step("dmesg-clear", "xl dmesg -c >/dev/null; xl dmesg | wc -l"),
    step("debug-keys", "xl debug-keys h"),
    step("debug-keys-none", "xl debug-keys"),
    step("uptime", "xl uptime", UPTIME),
    step("vcpu-list", "xl vcpu-list", *VCPUS),
    step("cpupool-list", "xl cpupool-list"),
    step("cpupool-list-cpus", "xl cpupool-list -c"),
    step("sched-credit2", "xl sched-credit2"),
    step("sched-credit2-params", "xl sched-credit2 -s -p Pool-0; xl sched-credit2 -s -p Pool-0 -r 2000; xl sched-credit2; "
                                 "xl sched-credit2 -s -p Pool-0 -r 1000"),
    step("sched-credit", "xl sched-credit"),
    step("sched-rtds", "xl sched-rtds"),
    step("claims", "xl claims", *LIST),
    step("getenforce", "xl getenforce"),
    # Xen's own test programs
    step("test-resource", f"{BIN}/test-resource"),
    step("test-paging-mempool", f"{BIN}/test-paging-mempool"),
    step("test-xenstore", f"{BIN}/test-xenstore", LATENCY),
    step("list-after-tests", "xl list", *LIST),
    # two guests
    step("create", "xl create /etc/xen/one.cfg"),
    step("guest-one-up", "guest one --wait"),
    step("create-again", "xl create /etc/xen/one.cfg"),
    step("create-paused", "xl create -p /etc/xen/two.cfg"),
    step("list-two", "xl list", *LIST),
    step("list-two-verbose", "xl list -v", *LIST, UUID),
    step("list-two-long", "xl list -l", UUID),
    step("list-one-long", "xl list -l one", UUID),
    step("list-none", "xl list nosuch"),
    step("domid", "xl domid one; xl domid two; xl domid nosuch"),
    step("domname", "xl domname 0; xl domname $(xl domid one); xl domname 77"),
    step("vm-list-two", "xl vm-list", UUID),
    step("unpause", "xl unpause two"),
    step("guest-two-up", "guest two --wait"),
    step("vcpu-list-two", "xl vcpu-list", *VCPUS),
    step("vcpu-list-one", "xl vcpu-list one", *VCPUS),
    step("network-list", "xl network-list one", RINGS),
    step("block-list", "xl block-list one", RINGS),
    step("guest-command", "guest one 'uname -a; nproc; ls /sys/class/net; cat /proc/cmdline'"),
    step("disk", "guest one 'sha256sum /dev/xvda'"),
    step("ping", "guest one 'ping -c 1 192.168.77.12; ping -c 1 192.168.77.1'", LATENCY),
    step("console", typed("xl console one", "echo con\"\"sole; nproc"), *TYPED),
    step("pause", "xl pause one; xl list one", *LIST),
    step("unpause-one", "xl unpause one; sleep 0.2; xl list one; guest one 'echo runs'", *LIST),
    step("rename", "xl rename one three; xl list; xl rename three one; xl rename one two", *LIST),
    step("uptime-two", "xl uptime one two", UPTIME),
    step("vcpu-set-down", f"xl vcpu-set two 1; {vcpus_on_line(1)}; xl vcpu-list two; guest two nproc", *VCPUS),
    step("vcpu-set-up", "xl vcpu-set two 2; sleep 1; guest two 'echo 1 >/sys/devices/system/cpu/cpu1/online; nproc'; "
                        "xl vcpu-list two", *VCPUS, KERNEL),
    step("vcpu-set-many", "xl vcpu-set two 3"),
    # A vCPU that waits has not gone to its new CPU yet.
    step("vcpu-pin", "xl vcpu-pin two 0 1; xl vcpu-pin two 1 0 0-1; sleep 1; xl vcpu-list two", *VCPUS),
    step("vcpu-pin-all", "xl vcpu-pin two all all; sleep 1; xl vcpu-list two", *VCPUS),
    step("vcpu-pin-bad", "xl vcpu-pin two 0 7; xl vcpu-pin two 9 0; xl vcpu-list two", *VCPUS),
    step("mem-set", "xl mem-set one 100"),
    step("mem-max", "xl mem-max one 200"),
    step("sched-credit2-one", "xl sched-credit2 -d one"),
    step("sched-credit2-weight", "xl sched-credit2 -d one -w 512; xl sched-credit2 -d one; xl sched-credit2; "
                                 "xl sched-credit2 -d one -w 256 -c 0"),
    step("sched-credit2-bad", "xl sched-credit2 -d one -w 0"),
    step("sched-credit2-cap", "xl sched-credit2 -d one -c 50; xl sched-credit2 -d one; xl sched-credit2; "
                              "xl sched-credit2 -d two -c 150; xl sched-credit2 -d two; xl sched-credit2 -d one -w 512; xl sched-credit2 -d one"),
    step("sched-credit2-cap-bad", "for c in 101 65536 -1 x; do xl sched-credit2 -d one -c $c; done; "
                                  "xl sched-credit2 -d two -w 300 -c 201; xl sched-credit2"),
    step("sched-credit2-cap-0", "xl sched-credit2 -d one -w 256 -c 0; xl sched-credit2 -d two -c 0; xl sched-credit2"),
    step("trigger", "xl trigger one nmi"),
    step("sysrq", f"xl sysrq one h; guest one '{until('dmesg | grep -q sysrq:')}; dmesg | grep -c sysrq:'"),
    step("top", "xentop -b -i 1", TOP, TRAFFIC),
    step("network-attach", "xl network-attach one mac=00:16:3e:00:00:21 bridge=xenbr0; "
                           f"{connected('network', 2)}; xl network-list one", RINGS),
    step("network-attached", f"guest one '{until('[ -e /sys/class/net/eth1 ]')}; ls /sys/class/net; cat /sys/class/net/eth1/address'"),
    step("network-detach", f"xl network-detach one 1; {connected('network', 1)}; xl network-list one; "
                           f"guest one '{until('[ ! -e /sys/class/net/eth1 ]')}; ls /sys/class/net'", RINGS),
    step("network-detach-none", "xl network-detach one 7"),
    step("block-attach", f"xl block-attach one /guests/three.img,raw,xvdb,rw; {connected('block', 2)}; xl block-list one", RINGS),
    step("block-attached", f"guest one '{until('[ -b /dev/xvdb ]')}; sha256sum /dev/xvdb'; sha256sum /guests/three.img"),
    step("block-detach", f"xl block-detach one xvdb; {connected('block', 1)}; xl block-list one; "
                         f"guest one '{until('[ ! -b /dev/xvdb ]')}; ls /dev/xvd*'; {until('! losetup -a | grep -q three')}; losetup -a",
         RINGS),
    step("block-detach-none", "xl block-detach one xvdq"),
    step("dump-core", "xl dump-core one /tmp/core; rm /tmp/core; xl list one", *LIST),
    # the ends of guests
    step("reboot", "xl reboot one; guest one --wait 2; xl list", *LIST),
    step("shutdown", f"xl shutdown -w one; {GONE}; xl list", *LIST),
    # Of its lives, which all write into one log, this is the third; the next one the fourth.
    step("create-cap", "xl create /etc/xen/one.cfg 'cap=40' 'cpu_weight=300'; guest one --wait 3; xl sched-credit2; "
                       "xl destroy one"),
    step("create-console", typed("xl create -c /etc/xen/one.cfg", "", "echo con\"\"sole", first="guest one --wait 4"), *TYPED),
    step("shutdown-inside", f"guest one 'sleep 1; poweroff &'; {GONE}; xl list", *LIST),
    step("destroy", "xl destroy two; sleep 1; xl list", *LIST),
    step("destroy-none", "xl destroy one"),
    step("destroy-dom0", "xl destroy 0"),
    step("none", "for c in pause unpause shutdown reboot console sysrq uptime vcpu-list network-list block-list; do "
                 "echo $c; xl $c one; echo $?; done"),
    step("not-on-arm", "for c in save restore migrate psr-hwinfo nosuch; do xl $c one /tmp/one; echo $?; done"),
    step("nothing-left", "xl list; xenstore-ls /local/domain/0/backend; losetup -a; ip -o link | grep -c vif", *LIST),
    step("info-at-the-end", "xl info", BUILD),
]


@pytest.fixture(scope="module")
def reference():
    return run_reference("xl", STEPS)


@pytest.fixture(scope="module")
def product(request):
    return run_steps(request.config.getoption("--hyp"), "xl", STEPS)


@pytest.mark.parametrize("one", STEPS, ids=lambda one: one.name)
def test_same_as_xen(one, reference, product):
    assert one.name in reference, "did not end on Debian's Xen"
    assert one.name in product, "did not end"
    expected, got = reference[one.name], product[one.name]
    assert (got.status, normalised(one, got.output)) == (expected.status, normalised(one, expected.output))
