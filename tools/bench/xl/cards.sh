#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control domain's side of a guest's disk and network card, for tools/bench/xlbench.py: first served by the control
# domain's own drivers of an NVMe disk and an e1000e card, then, unless the kernel's command line says cards=served, the
# same two given to the guest; and a third one to a guest that times its messages (guests/bench_its.c). The other end of the
# wire is a second card, in a network namespace of the control domain. The guest's side is cards_guest.sh. The numbers of the
# marks are named in xlbench.py.
. /etc/wire.sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
THERE=192.168.77.2
GUEST=192.168.77.11
LOG=/var/log/xen/console/guest-cards.log

fail()
{
    dmesg | tail -n 20
    xl dmesg | tail -n 20
    tail -n 20 $LOG
    echo "xlbench: error: $1"
    poweroff -f
}

is_gone() { ! xl domid cards; }

# run CONFIG: one guest and its work
run()
{
    there stream 5001 >/tmp/received &
    receiver=$!
    xl create -q "/etc/xen/$1.cfg" || fail "no guest $1"
    wait $receiver
    [ "$(cat /tmp/received)" = $((MIB << 20)) ] || fail "guest $1 sent $(cat /tmp/received) bytes, not $MIB MiB"
    # The guest's own last mark comes first.
    sleep 0.2
    there mark 6 stream $GUEST 5002 $MIB || fail "guest $1 does not take what it is sent"
    mark 7
    there ping -c 5 -i 0.1 -q $GUEST || fail "guest $1 does not answer"
    mark 8
    there ping -c $PINGS -i 0.01 -q $GUEST || fail "guest $1 does not answer"
    mark 9
    grep "^cards: " $LOG || fail "guest $1 did not do its work"
    mark 14
    xl destroy cards
    wait_for is_gone
    rm $LOG
}

wire $THERE
first=$(ls /sys/bus/pci/devices/0000:00:02.0/net)
ip link set dev "$first" master xenbr0 && ip link set dev "$first" up || fail "no first card"
wait_for ping -c 1 -W 1 $THERE
run served
grep -e nvme -e eth /proc/interrupts
if ! grep -q cards=served /proc/cmdline; then
    modprobe xen-pciback || fail "no driver xen-pciback"
    for card in 0000:00:01.0 0000:00:02.0; do
        xl pci-assignable-add $card || fail "$card is not to be had"
    done
    run given
    xl pci-assignable-add 0000:00:04.0 || fail "the third card is not to be had"
    xl create -q /etc/xen/message.cfg || fail "no guest of the third card"
    wait_for grep -q "^GUEST" $LOG
    cat $LOG
fi
echo "xlbench: done $MIB MiB $PINGS pings"
poweroff -f
