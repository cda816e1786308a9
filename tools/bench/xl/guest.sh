#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's side of tools/bench/xlbench.py: disk and network, each between two marks.
MIB=32
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
