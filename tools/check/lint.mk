# SPDX-License-Identifier: Apache-2.0
# The rules, executable. `make lint` runs all checks, `make lint L="sizes
# names"` some. globals and elf look at the linked image: run make first.
.PHONY: lint abi locking

lint: | $(BUILD)/include/xen
	@BUILD=$(BUILD) CROSS_COMPILE=$(CROSS_COMPILE) tools/check/run.py $(L)

# Golden sizes, offsets and numbers of the ABI, at compile time.
abi: | $(BUILD)/include/xen
	@BUILD=$(BUILD) CROSS_COMPILE=$(CROSS_COMPILE) tools/check/abi.sh

# docs/locking.md from the list of ranks.
locking:
	@tools/check/gen_locking.py
