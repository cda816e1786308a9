# SPDX-License-Identifier: Apache-2.0
# Documents that are made from the tree.
.PHONY: docs docs-probe

# docs/compat.md from rows, tests, headers and tools/docs/probe.json.
docs: | $(BUILD)/include/xen
	@BUILD=$(BUILD) tools/docs/compat.py

# tools/docs/probe.json anew: boots both hypervisors, takes some minutes.
docs-probe: image
	@tools/image/mkdom0.py
	@tools/docs/probe.py
