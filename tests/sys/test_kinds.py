# SPDX-License-Identifier: Apache-2.0
"""CPUs of different kinds: QEMU's machines have one kind, so a device tree says that two of four CPUs are another."""
from test_static import text_of

TREE = """
cpus {
    cpu@2 { compatible = "arm,cortex-a72"; };
    cpu@3 { compatible = "arm,cortex-a72"; };
};
"""
LISTS = "xl cpupool-list -c | tail -n +2"


def test_a_pool_for_each_kind(boot):
    """dom0 has as many vCPUs as its pool has CPUs; a domain goes where the tree's other kind is."""
    console = boot(xl=True, smp=4, tree=TREE, icount=True, reboot=False)
    assert console.check("nproc") == "2"
    assert console.check(LISTS).split() == ["Pool-0", "0,1", "Pool-1", "2,3"]
    assert "of another kind" not in text_of(console), "by MIDR they are one"


def test_all_in_one_pool(boot):
    """hmp-unsafe=true: as on a machine of one kind."""
    console = boot(smp=4, tree=TREE, icount=True, reboot=False, hyp_args="hmp-unsafe=true")
    assert console.check("nproc") == "4"
