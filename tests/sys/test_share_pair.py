# SPDX-License-Identifier: Apache-2.0
"""Domains that share a page and a port with each other, as xsm=dummy lets them and xsm=silo does not."""
import os

import pytest
from conftest import ROOT
from domains import Domain
from test_static import require, verdicts

PAIR = os.path.join(ROOT, "build", "guests", "share_pair.bin")


@pytest.mark.parametrize("policy, gic", [("dummy", 2), ("dummy", 3), ("silo", 3)])
def test_pair(boot, hyp, policy, gic):
    """Two bare-metal domains that the device tree starts; what was not offered is refused."""
    require(PAIR)
    console = boot(wait=False, kernel=None, initrd=None, smp=2, mem=1024, icount=True, reboot=False, gic=gic,
                   hyp_args=f"xsm={policy}",
                   domains=[Domain("one", PAIR, bootargs=f"owner {policy}"), Domain("two", PAIR, bootargs=policy)])
    verdicts(console, hyp, [1, 2])
