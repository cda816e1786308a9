# SPDX-License-Identifier: Apache-2.0
#
# make ledger: what every path through EL2 costs, against tests/perf/ledger.json,
# and that a regression of 10 % in any line would be seen.
# make ledger-update: the file, and docs/ledger.md, from what is measured now.

.PHONY: ledger ledger-update
ledger: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/ledger/ledger.py
	tools/ledger/seeded.py

ledger-update: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/ledger/ledger.py --update
