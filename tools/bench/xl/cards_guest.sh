#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's side of cards.sh: the loads of devices.sh with the disk and the card that it has, be they PV or real ones.
MIB=32                  # as in cards.sh
TURNS=5                 # of the disk: when QEMU is done depends on the host a little; the best one counts
THERE=192.168.77.2
tries=100
until [ -b /dev/xvda ] || [ -b /dev/nvme0n1 ]; do
    [ $((tries -= 1)) -gt 0 ] || exit
    sleep 0.1
done
disk=/dev/nvme0n1
[ -b $disk ] || disk=/dev/xvda
until ping -c 1 -W 1 $THERE >/dev/null; do
    [ $((tries -= 1)) -gt 0 ] || exit
done
dd if=$disk of=/dev/null bs=1M count=1 iflag=direct || exit
stream 5002 &
while [ $((TURNS -= 1)) -ge 0 ]; do
    mark 2 dd if=$disk of=/dev/null bs=64k count=$((MIB * 16)) iflag=direct || exit
    mark 3 dd if=/dev/zero of=$disk bs=64k count=$((MIB * 16)) oflag=direct || exit
    mark 4
done
stream $THERE 5001 $MIB || exit
mark 5
wait
grep -e nvme -e eth /proc/interrupts
echo "cards: $disk and $(ls -d /sys/class/net/eth0/device/driver)"
