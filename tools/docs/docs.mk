# SPDX-License-Identifier: Apache-2.0
# Documents that are made from the tree.
.PHONY: docs docs-probe

# docs/compat.md from rows, tests, headers and tools/docs/probe.json, and the
# pictures of docs/examples.md.
docs: $(IMAGE_TOOL) | $(BUILD)/include/xen
	@BUILD=$(BUILD) tools/docs/compat.py
	@BUILD=$(BUILD) tools/docs/pictures.py

# tools/docs/probe.json anew: boots both hypervisors, takes some minutes.
docs-probe: image
	@tools/image/mkdom0.py
	@tools/docs/probe.py
