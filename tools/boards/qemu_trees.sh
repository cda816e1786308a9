#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# qemu_trees.sh DIR: the device trees of QEMU's virt machine in several sizes.
set -eu
dir=$1
mkdir -p "$dir"
dump() {
	local name=$1 machine=$2
	shift 2
	qemu-system-aarch64 -M "$machine,dumpdtb=$dir/$name.dtb" \
		-display none "$@" >"$dir/$name.log" 2>&1
	rm "$dir/$name.log"
}
for gic in 2 3; do
	for smp in 1 2 8; do
		for mem in 256 2048 8192; do
			dump "virt-gicv$gic-smp$smp-$mem" \
				"virt,virtualization=on,gic-version=$gic" \
				-cpu cortex-a57 -smp "$smp" -m "$mem"
		done
	done
done
dump virt-smmu "virt,virtualization=on,gic-version=3,iommu=smmuv3" \
	-cpu cortex-a57 -smp 2 -m 1024
dump virt-highmem-off "virt,virtualization=on,gic-version=3,highmem=off" \
	-cpu cortex-a57 -smp 2 -m 1024
dump virt-secure "virt,virtualization=on,secure=on,gic-version=3" \
	-cpu cortex-a57 -smp 40 -m 1024
