#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control domain's own cards, or the bare machine's, for tools/bench/xlbench.py: an NVMe disk, and two e1000e cards on
# one wire, the second in a network namespace of its own. The numbers of the marks are named in xlbench.py.
. /etc/wire.sh
TURNS=7                 # of the disk: when QEMU is done depends on the host a little; the best one counts
THERE=10.1.1.2

fail()
{
    dmesg | tail -n 20
    echo "xlbench: error: $1"
    poweroff -f
}

wire $THERE
first=$(ls /sys/bus/pci/devices/0000:00:02.0/net)
ip addr add 10.1.1.1/24 dev "$first" && ip link set dev "$first" up || fail "no first card"
wait_for ping -c 1 -W 1 $THERE
dd if=$DISK of=/dev/null bs=1M count=1 iflag=direct || fail "the disk does not read"
there stream 5001 >/tmp/received &
while [ $((TURNS -= 1)) -ge 0 ]; do
    mark 2 dd if=$DISK of=/dev/null bs=64k count=$((MIB * 16)) iflag=direct || fail "the disk does not read"
    mark 3 dd if=/dev/zero of=$DISK bs=64k count=$((MIB * 16)) oflag=direct || fail "the disk does not write"
    mark 4
done
mark 5 stream $THERE 5001 $MIB
mark 6
wait_for grep -qx $((MIB << 20)) /tmp/received
mark 8
ping -c $PINGS -i 0.01 -q $THERE || fail "the other card does not answer"
mark 9
grep -e nvme -e eth /proc/interrupts
echo "xlbench: done $MIB MiB $PINGS pings"
poweroff -f
