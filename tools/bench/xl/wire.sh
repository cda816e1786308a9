# SPDX-License-Identifier: Apache-2.0
# What devices.sh and cards.sh share: an NVMe disk, and two e1000e cards on one wire, the second in a network namespace of its
# own. They say what they do when something fails: fail REASON.
MIB=32                  # as in dom0.sh, guest.sh and cards_guest.sh
PINGS=500
DISK=/dev/nvme0n1

# wait_for COMMAND...: 10 s at most
wait_for()
{
    tries=100
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "in vain: $*"
        sleep 0.1
    done
}

is_apart() { [ "$(readlink /proc/$apart/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; }
there() { nsenter -t $apart -n "$@"; }

# wire THERE: the disk and both cards are here, the second one has the address THERE.
wire()
{
    for module in nvme e1000e; do
        modprobe $module || fail "no driver $module"
    done
    wait_for [ -b $DISK ]
    second=$(ls /sys/bus/pci/devices/0000:00:03.0/net)
    unshare -n sleep 10000 &
    apart=$!
    wait_for is_apart
    ip link set dev "$second" netns $apart || fail "no namespace"
    there ip addr add "$1/24" dev "$second" && there ip link set dev "$second" up || fail "no second card"
}
