#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The control domain's side of the ledger's run of a guest that attacks (guests/domu_pci): it says itself when it begins,
# mark 1, and when it is over, mark 2.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LOG=/var/log/xen/console/guest-attack.log

modprobe xen-pciback
xl pci-assignable-add 0000:00:03.0 && xl pci-assignable-add 0000:00:04.0 && xl create -q /etc/xen/attack.cfg
until grep -qE '^(GUEST|now:|FAIL)' $LOG; do
    [ "$((tries += 1))" -lt 60 ] || break
    sleep 1
done
cat $LOG
poweroff -f
