# SPDX-License-Identifier: Apache-2.0
"""How a guest ends (guests/conform/end.c), and what becomes of it in the toolstack's eyes."""

DOMAIN = ("poweroff", "reboot", "crash", "dog", "reason6", "reason255", "reason259", "coded", "timeout", "psci_off",
          "psci_reset", "suspend", "softreset", "cpu_off")

# Run by the control domain. Nobody looks after the guests (-e): they stay as they ended. "cpu_off" is none.
SCRIPT = """for how; do
xl create -e -q /tmp/conform.cfg 'name="end"' memory=16 "extra=\\"end $how\\"" 2>&1
n=0
until xl list end | grep -q -- '-s.- ' || [ $n = 8 ]; do n=$((n + 1)); sleep 1; done
state=$(xl list -v end | tail -n 1 | awk '{ print substr($5, 3), "reason", $8 }')
echo "= end of a domain | $how | $state"
xl destroy end
done
"""
