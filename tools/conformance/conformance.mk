# SPDX-License-Identifier: Apache-2.0
#
# make conformance: what a guest observes, line by line beside Debian's Xen 4.17.
# make conformance-doc: that, and docs/conformance.md from it.

.PHONY: conformance conformance-doc
conformance: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/conformance/selftest.py
	tools/conformance/conformance.py

conformance-doc: guests $(wildcard $(BUILD)/arm64/bulkhead)
	tools/conformance/conformance.py --write
