# SPDX-License-Identifier: Apache-2.0
#
# make deb: build/deb/bulkhead-hypervisor_*_arm64.deb.

.PHONY: deb
deb:
	tools/package/deb.sh
