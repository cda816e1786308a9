# SPDX-License-Identifier: Apache-2.0
#
# make bench: instructions per path and by scale, beside Debian's Xen 4.17 and
# no hypervisor, with budgets.
# make bench-xl: the same for guests of the stock toolstack.
# make bench-sched: the scheduler by number of vCPUs, compiled for this machine.
# make bench-doc: all, and docs/performance.md with its charts from them.

.PHONY: bench bench-xl bench-sched bench-doc
bench: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/bench.py

bench-xl: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/bench/xlbench.py

bench-sched: $(SCHEDCOST)
	tools/bench/schedbench.py

bench-doc: bench bench-xl bench-sched
	tools/bench/bench.py --profile 8
	tools/bench/report.py
