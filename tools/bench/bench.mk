# SPDX-License-Identifier: Apache-2.0
#
# make bench: instructions per path beside Debian's Xen 4.17, with budgets.
# make bench-xl: the same for guests of the stock toolstack.
# make bench-xl-doc: that, and docs/performance.md from its figures.

.PHONY: bench bench-xl bench-xl-doc
bench: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/bench.py

bench-xl: $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/xlbench.py

bench-xl-doc: $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/xlbench.py --write
