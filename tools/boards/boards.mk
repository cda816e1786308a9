# SPDX-License-Identifier: Apache-2.0
# `make boards` runs the boot code over every board tree that is there.
BOARDS_DIR := $(BUILD)/boards
BOARDS_DTBS := $(wildcard $(BUILD)/peer/dtbs/*/*.dtb)
# What the boot code needs to read a tree and to write dom0's.
BOOT_FDT_SRC := boot/cmdline.c boot/dom_devices.c boot/dom_fdt.c \
	boot/dom_nodes.c boot/dom_nodes_new.c boot/dom_nodes_shared.c \
	boot/fdt_addr.c \
	boot/fdt_chosen.c boot/fdt_console.c boot/fdt_gic.c boot/fdt_irq.c \
	boot/fdt_lookup.c boot/fdt_platform.c boot/fdt_smmu.c boot/fdt_util.c \
	boot/fdt_writer.c boot/gunzip.c boot/inflate.c boot/kernel_image.c \
	boot/modules.c boot/option_values.c boot/ranges.c \
	lib/printf.c tests/fakes/fake_log.c

# Which driver the console has; nothing is read or written.
BOARDS_UART_SRC := boot/console_uart.c boot/early_uart.c tools/boards/no_machine.c \
	$(wildcard drivers/uart/*.c)

$(BOARDS_DIR)/boards: tools/boards/boards.c $(BOOT_FDT_SRC) $(BOARDS_UART_SRC) \
		$(wildcard boot/*.h include/*/*.h tests/fakes/*.h)
	@mkdir -p $(BOARDS_DIR)
	$(HOSTCC) $(UNIT_CFLAGS) -include tests/fakes/fake_uart_port.h -o $@ \
		tools/boards/boards.c $(BOOT_FDT_SRC) $(BOARDS_UART_SRC) -lfdt

# QEMU's own machines: both GICs, one to eight CPUs, below and above 4 GiB.
$(BOARDS_DIR)/qemu.stamp: tools/boards/qemu_trees.sh
	tools/boards/qemu_trees.sh $(BOARDS_DIR)/qemu
	@touch $@

.PHONY: boards boards-doc
BOARDS_CHECK = tools/boards/check.py --boards $(BOARDS_DIR)/boards \
	--out $(BOARDS_DIR)/out --table docs/boards-table.md

# Ends with `N passed, N failed`: trees read, and dom0 trees that dtc accepts
# without a warning that the host's tree does not have; docs/boards-table.md is
# what was found.
boards: $(BOARDS_DIR)/boards $(BOARDS_DIR)/qemu.stamp
	$(BOARDS_CHECK) $(BOARDS_DIR)/qemu/*.dtb $(BOARDS_DTBS)

boards-doc: $(BOARDS_DIR)/boards $(BOARDS_DIR)/qemu.stamp
	$(BOARDS_CHECK) --write $(BOARDS_DIR)/qemu/*.dtb $(BOARDS_DTBS)

# The streams of SMMUs in those trees, held against the trees.
BOARDS_STREAMS_SRC := tools/boards/streams.c $(sort boot/fdt_iommu.c $(BOOT_FDT_SRC))

$(BOARDS_DIR)/streams: $(BOARDS_STREAMS_SRC) $(wildcard boot/*.h include/*/*.h tests/fakes/*.h)
	@mkdir -p $(BOARDS_DIR)
	$(HOSTCC) $(UNIT_CFLAGS) -o $@ $(BOARDS_STREAMS_SRC) -lfdt

.PHONY: boards-streams
boards: boards-streams
boards-streams: $(BOARDS_DIR)/streams $(BOARDS_DIR)/qemu.stamp
	tools/boards/streams.py --streams $(BOARDS_DIR)/streams $(BOARDS_DIR)/qemu/*.dtb $(BOARDS_DTBS)
