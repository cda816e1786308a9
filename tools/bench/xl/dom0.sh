#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control domain's side of tools/bench/xlbench.py, run once when the toolstack is up. Nothing is typed and no device
# of QEMU's is used: the same instructions in every run. The numbers of the marks are named in xlbench.py.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
MIB=32                  # of disk and network, as in guest.sh
PINGS=500
GUEST=192.168.77.11

fail()
{
    tail -n 20 /var/log/xen/console/guest-bench.log
    echo "xlbench: error: $1"
    poweroff -f
}

dd if=/dev/zero of=/tmp/bench.img bs=1M count=$MIB 2>/dev/null
# Once without counting: modules, caches, the first use of every daemon.
xl create -p /etc/xen/bench.cfg || fail "the first guest cannot be created"
xl destroy bench
stream 5001 >/tmp/received &
mark 0 xl create /etc/xen/bench.cfg || fail "the guest cannot be created"
wait
[ "$(cat /tmp/received)" = $((MIB << 20)) ] || fail "the guest sent $(cat /tmp/received) bytes, not $MIB MiB"
mark 6 stream $GUEST 5002 $MIB || fail "the guest does not take what it is sent"
mark 7
ping -c 5 -i 0.1 -q $GUEST || fail "the guest does not answer"
mark 8
ping -c $PINGS -i 0.01 -q $GUEST || fail "the guest does not answer"
mark 9
grep "^load " /var/log/xen/console/guest-bench.log || fail "the guest did not do its work"
grep -c "^$((MIB * 16))+0 records out" /var/log/xen/console/guest-bench.log | grep -qx 2 || fail "a transfer of the guest was cut short"
echo "xlbench: done $MIB MiB $PINGS pings"
poweroff -f
