#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's side of tools/bench/xlbench.py: processes, a build, disk and network, each between two marks. Without a
# hypervisor there are no disk and network, and it ends before them.
MIB=32
SPAWNS=200
spawn 10 /bin/busybox true
mark 10
spawn $SPAWNS /bin/busybox true || exit
mark 11
built=$(buildload)
mark 12
echo "load $SPAWNS $built"
[ -b /dev/xvda ] || exec poweroff -f
dd if=/dev/xvda of=/dev/null bs=1M count=1 iflag=direct
stream 5002 &
mark 2
dd if=/dev/xvda of=/dev/null bs=64k count=$((MIB * 16)) iflag=direct
mark 3
dd if=/dev/zero of=/dev/xvda bs=64k count=$((MIB * 16)) oflag=direct
mark 4
stream 192.168.77.1 5001 $MIB
mark 5
wait
