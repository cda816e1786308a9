# SPDX-License-Identifier: Apache-2.0
#
# make bench: instructions per path beside Debian's Xen 4.17, with budgets.

.PHONY: bench
bench: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/bench.py
