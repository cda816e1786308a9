# SPDX-License-Identifier: Apache-2.0
"""Pools of CPUs by the stock toolstack, on four CPUs: the same exit status and the same output as on Debian's own Xen
4.17, which has the same policy in all of them (Debian's has no other that we have, too)."""
import pytest
from test_xl import KERNEL, LIST, VCPUS, vcpus_on_line
from xl import normalised, run_reference, run_steps, step, sub

pytestmark = pytest.mark.xdist_group("xl_pools")

SMP = 4
UUID = sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID")
LISTS = "xl cpupool-list; xl cpupool-list -c"
HPTOOL = "/usr/lib/xen-4.17/bin/xen-hptool"


STEPS = [
    step("start", LISTS),
    step("create-none-free", "xl cpupool-create 'name=\"low\"'; " + LISTS),
    step("remove", f"xl cpupool-cpu-remove Pool-0 3; {LISTS}"),
    step("create", f"xl cpupool-create 'name=\"low\"'; {LISTS}"),
    step("remove-more", f"xl cpupool-cpu-remove Pool-0 2; {LISTS}"),
    step("create-cpus", f"xl cpupool-create 'name=\"mid\"' 'cpus=\"2\"' 'sched=\"credit2\"'; {LISTS}"),
    step("create-same-name", "xl cpupool-create 'name=\"low\"'"),
    step("create-taken-cpu", f"xl cpupool-create 'name=\"taken\"' 'cpus=\"0\"'; {LISTS}"),
    step("create-no-such-sched", "xl cpupool-create 'name=\"other\"' 'sched=\"nosuch\"'"),
    step("create-dry", "xl cpupool-create -n 'name=\"dry\"'; xl cpupool-list dry"),
    step("rename", "xl cpupool-rename low high; xl cpupool-list; xl cpupool-rename nosuch low; xl cpupool-rename high low"),
    step("rename-zero", "xl cpupool-rename Pool-0 zero; xl cpupool-list; xl cpupool-rename zero Pool-0"),
    step("list-one", "xl cpupool-list low; xl cpupool-list -c mid; xl cpupool-list nosuch"),
    step("store", "xenstore-ls /local/pool", UUID),
    # CPUs come and go
    step("add-none-free", f"xl cpupool-cpu-add mid 3; {LISTS}"),
    step("remove-last-of-empty", f"xl cpupool-cpu-remove low 3; {LISTS}"),
    step("add", f"xl cpupool-cpu-add low 3; {LISTS}"),
    step("remove-not-there", f"xl cpupool-cpu-remove low 1; {LISTS}"),
    step("add-no-such-cpu", f"xl cpupool-cpu-add low 7; xl cpupool-cpu-add low x; {LISTS}"),
    step("remove-no-such-cpu", f"xl cpupool-cpu-remove low 7; {LISTS}"),
    step("no-such-pool", "xl cpupool-cpu-add nosuch 1; xl cpupool-cpu-remove nosuch 1; xl cpupool-destroy nosuch"),
    step("remove-range", f"xl cpupool-cpu-remove mid all; {LISTS}; xl cpupool-cpu-add mid 2; {LISTS}"),
    step("node", f"xl cpupool-cpu-remove low node:0; {LISTS}; xl cpupool-cpu-add low node:0; {LISTS}"),
    step("numa-split", f"xl cpupool-numa-split; {LISTS}"),
    # domains
    step("dom0-migrate", "xl cpupool-migrate 0 low; xl cpupool-migrate Domain-0 Pool-0; xl cpupool-list"),
    step("boot-cpu", f"xl cpupool-cpu-remove Pool-0 0; {LISTS}; xl cpupool-cpu-add Pool-0 0; {LISTS}"),
    step("last-cpu-of-dom0", f"xl cpupool-cpu-remove Pool-0 1; {LISTS}; xl vcpu-list; xl cpupool-cpu-remove Pool-0 0; {LISTS}",
         *VCPUS),
    step("back", f"xl cpupool-cpu-add Pool-0 1; {LISTS}"),
    step("create-one", "xl create /etc/xen/one.cfg 'pool=\"low\"' && guest one --wait; xl cpupool-list; xl vcpu-list", *VCPUS),
    step("list-pool", "xl list -c", *LIST),
    step("list-long", "xl list -l one | grep -i pool"),
    step("create-no-pool", "xl create -p /etc/xen/two.cfg 'pool=\"nosuch\"'; xl list", *LIST),
    step("create-two", "xl create /etc/xen/two.cfg && guest two --wait; xl list -c", *LIST),
    step("runs", "guest one 'nproc; echo runs'; guest two 'nproc; echo runs'"),
    step("migrate", "xl cpupool-migrate two mid; xl list -c; xl cpupool-list; guest two 'echo runs'; sleep 1; xl vcpu-list two",
         *LIST, *VCPUS),
    step("migrate-none", "xl cpupool-migrate nosuch mid; xl cpupool-migrate two nosuch; xl cpupool-migrate 77 mid"),
    step("migrate-again", "xl cpupool-migrate two mid; xl cpupool-list"),
    step("last-cpu", f"xl cpupool-cpu-remove mid 2; {LISTS}"),
    step("destroy-busy", f"xl cpupool-destroy mid; {LISTS}"),
    step("destroy-zero", f"xl cpupool-destroy Pool-0; {LISTS}"),
    step("empty-pool", "xl cpupool-cpu-remove Pool-0 1; xl cpupool-create 'name=\"none\"'; xl cpupool-cpu-remove none 1; "
                       f"{LISTS}; xl cpupool-migrate two none; xl create -p /etc/xen/one.cfg 'name=\"three\"' 'pool=\"none\"'; "
                       f"xl cpupool-destroy none; xl cpupool-cpu-add Pool-0 1; {LISTS}; xl list -c", *LIST),
    # affinity
    step("pin-outside", "xl vcpu-pin two 0 0; xl vcpu-list two", *VCPUS),
    step("pin-inside", "xl vcpu-pin two 0 2; xl vcpu-pin two 1 0,2; xl vcpu-list two", *VCPUS),
    step("pin-soft", "xl vcpu-pin two 1 - 0; xl vcpu-pin two 1 - 2; xl vcpu-list two", *VCPUS),
    step("migrate-pinned", "xl cpupool-migrate two Pool-0; sleep 1; xl vcpu-list two", *VCPUS),
    step("pin-across", "xl vcpu-pin two 0 1; xl vcpu-pin two 1 1,2; xl vcpu-pin two 0 3; xl vcpu-list two", *VCPUS),
    step("break", f"xl cpupool-cpu-remove Pool-0 1; sleep 1; xl vcpu-list two; xl dmesg | grep -i affinity; {LISTS}; guest two 'echo runs'", *VCPUS),
    step("not-mended", "xl cpupool-cpu-add Pool-0 1; xl vcpu-list two", *VCPUS),
    step("vcpu-set", f"xl vcpu-set two 1; {vcpus_on_line(1)}; xl cpupool-migrate two mid; xl vcpu-list two; xl vcpu-set two 2; "
                     f"guest two 'echo 1 >/sys/devices/system/cpu/cpu1/online'; {vcpus_on_line(2)}; xl vcpu-list two; guest two nproc",
         *VCPUS, KERNEL),
    # parameters
    step("weights", "xl sched-credit2 -d two -w 512; xl sched-credit2; xl sched-credit2 -p mid; xl sched-credit2 -p nosuch"),
    step("weight-forgotten", "xl cpupool-migrate two low; xl sched-credit2 -d two"),
    step("ratelimit", "xl sched-credit2 -s -p mid -r 3000; xl sched-credit2 -s -p mid; xl sched-credit2 -s -p Pool-0"),
    step("paused", "xl pause two; xl cpupool-migrate two mid; xl list -c; xl unpause two; guest two 'echo runs'", *LIST),
    # CPUs off line
    step("hptool", f"{HPTOOL} cpu-offline 1; {HPTOOL} cpu-online 1; {LISTS}"),
    # the ends
    step("destroy-guests", "xl destroy one; xl destroy two; sleep 1; xl list; xl cpupool-list", *LIST),
    step("destroy", f"xl cpupool-destroy low; {LISTS}; xl cpupool-destroy mid; {LISTS}"),
    step("all-back", f"xl cpupool-cpu-add Pool-0 2-3; {LISTS}; xenstore-ls /local/pool", UUID),
]


@pytest.fixture(scope="module")
def reference():
    return run_reference("xl-pools", STEPS, smp=SMP)


@pytest.fixture(scope="module")
def product(request):
    return run_steps(request.config.getoption("--hyp"), "xl-pools", STEPS, smp=SMP)


@pytest.mark.parametrize("one", STEPS, ids=lambda one: one.name)
def test_same_as_xen(one, reference, product):
    assert one.name in reference, "did not end on Debian's Xen"
    assert one.name in product, "did not end"
    expected, got = reference[one.name], product[one.name]
    assert (got.status, normalised(one, got.output)) == (expected.status, normalised(one, expected.output))
