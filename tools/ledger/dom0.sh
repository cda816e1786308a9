#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control domain's side of the ledger's toolstack run, run once when the toolstack is up; runs.py says what the
# marks are.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
GUEST=192.168.77.11

fail()
{
    tail -n 20 /var/log/xen/console/guest-ledger.log
    echo "ledger: error: $1"
    poweroff -f
}

dd if=/dev/zero of=/tmp/ledger.img bs=1M count=8 2>/dev/null
mark 1 xl create /etc/xen/ledger.cfg || fail "the guest cannot be created"
mark 2
until ping -c 1 -w 1 -q $GUEST >/dev/null; do
    [ "$((tries += 1))" -lt 60 ] || fail "the guest does not answer"
done
mark 3 xl destroy ledger || fail "the guest cannot be destroyed"
mark 4
echo "ledger: done"
poweroff -f
