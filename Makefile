# SPDX-License-Identifier: Apache-2.0
# One entry point. `make` builds build/arm64/bulkhead (a bootable arm64 Image),
# build/arm64/bulkhead.elf and the host's build/bulkhead-image; `make help`
# lists the rest.
BUILD ?= build
ARCH ?= arm64
CROSS_COMPILE ?= aarch64-linux-gnu-
CC_KIND ?= gcc
DEBUG ?= 0

include tools/build/hv.mk
include tools/build/unit.mk
include tools/schedsim/schedsim.mk
include tools/schedcost/schedcost.mk
-include guests/guests.mk

.DEFAULT_GOAL := all
.PHONY: all help clean
all: image schedsim

help:
	@echo 'make            build/arm64/bulkhead and bulkhead.elf; build/bulkhead-image'
	@echo 'make DEBUG=1    the checking build in build/arm64-debug'
	@echo 'make CC_KIND=clang   the same with clang'
	@echo 'make unit       host unit tests (ASan, UBSan)'
	@echo 'make fuzz       short libFuzzer runs'
	@echo 'make lint       the rules of docs/layers.md, executable'
	@echo 'make guests     bare-metal test guests'
	@echo 'make conformance   what a guest observes, beside Debian Xen 4.17'
	@echo 'make bench      costs beside Debian Xen 4.17'
	@echo 'make bench-sched   costs of the scheduler by number of vCPUs, on this machine'
	@echo 'make ledger     EL2 instructions, stack and sizes against their ledger'
	@echo 'make docs       docs/compat.md from the tables and tests, pictures of examples'
	@echo 'make bench-xl   the same for guests of the stock toolstack'
	@echo 'make bench-doc  both, and docs/performance.md from them'
	@echo 'make deb        a Debian package of the hypervisor, in build/deb'
	@echo 'make schedsim   build/bulkhead-schedsim, the scheduler on this machine'
	@echo 'make clean      removes what make built, keeps what was fetched'

clean:
	rm -rf $(BUILD)/arm64 $(BUILD)/arm64-debug $(BUILD)/unit $(BUILD)/guests \
		$(BUILD)/bulkhead-image*

-include tools/check/lint.mk
-include tools/conformance/conformance.mk
-include tools/bench/bench.mk
-include tools/ledger/ledger.mk
-include tests/fuzz/fuzz.mk
-include tools/boards/boards.mk
-include tools/bulkhead-image/image.mk
-include examples/examples.mk
-include tools/docs/docs.mk
-include tools/package/package.mk
