# SPDX-License-Identifier: Apache-2.0
#
# Bare-metal test guests: build/guests/NAME.bin from guests/NAME.c and the
# library in guests/lib. Needs build/sysroot-arm64 (tools/setup) and the link
# build/include/xen to the host's libxen-dev (tools/build/hv.mk makes it).

CROSS_COMPILE ?= aarch64-linux-gnu-
BUILD ?= build

GUESTS_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
GUESTS_OUT := $(BUILD)/guests
GUESTS_SYSROOT := $(BUILD)/sysroot-arm64
GUEST_NAMES := $(patsubst $(GUESTS_DIR)/%.c,%,$(wildcard $(GUESTS_DIR)/*.c))
GUESTS_LIB := $(patsubst $(GUESTS_DIR)/lib/%,$(GUESTS_OUT)/lib/%.o,\
	$(wildcard $(GUESTS_DIR)/lib/*.c $(GUESTS_DIR)/lib/*.S))

ifeq ($(CC_KIND),clang)
GUESTS_CC := clang --target=aarch64-linux-gnu
else
GUESTS_CC := $(CROSS_COMPILE)gcc -fno-tree-loop-distribute-patterns
endif

GUESTS_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-builtin -fpie \
	-fno-stack-protector -fno-asynchronous-unwind-tables \
	-fvisibility=hidden -mgeneral-regs-only -mstrict-align \
	-mno-outline-atomics -Wall -Wextra -Wshadow -Wcast-qual \
	-Wmissing-prototypes -Wvla \
	-Wno-missing-field-initializers -Werror \
	-I$(GUESTS_DIR)/lib -I$(GUESTS_DIR)/../include \
	-isystem $(GUESTS_DIR)/lib/libc \
	-isystem $(GUESTS_SYSROOT)/include -isystem $(BUILD)/include
GUESTS_LDFLAGS := -pie --no-dynamic-linker -static -z norelro \
	-z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
	--build-id=none \
	-T $(GUESTS_DIR)/lib/guest.lds

# Programs of several files: guests/conform, guests/domu_pci.
CONFORM := $(patsubst $(GUESTS_DIR)/%,$(GUESTS_OUT)/%.o,\
	$(wildcard $(GUESTS_DIR)/conform/*.c))
DOMU_PCI := $(patsubst $(GUESTS_DIR)/%,$(GUESTS_OUT)/%.o,\
	$(wildcard $(GUESTS_DIR)/domu_pci/*.c))

.PHONY: guests
guests: $(GUEST_NAMES:%=$(GUESTS_OUT)/%.bin) $(GUESTS_OUT)/conform.bin \
	$(GUESTS_OUT)/domu_pci.bin

$(GUESTS_OUT)/conform.elf: $(CONFORM)
$(GUESTS_OUT)/domu_pci.elf: $(DOMU_PCI)
$(GUESTS_OUT)/conform.elf $(GUESTS_OUT)/domu_pci.elf: $(GUESTS_LIB) \
		$(GUESTS_DIR)/lib/guest.lds
	@$(CROSS_COMPILE)ld $(GUESTS_LDFLAGS) -o $@ $(filter %.o,$^) \
		$(GUESTS_SYSROOT)/lib/libfdt.a

$(GUESTS_OUT)/%.c.o: $(GUESTS_DIR)/%.c | $(BUILD)/include/xen
	@mkdir -p $(@D)
	@echo "  GUEST   $@"
	@$(GUESTS_CC) $(GUESTS_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_OUT)/%.S.o: $(GUESTS_DIR)/%.S
	@mkdir -p $(@D)
	@echo "  GUEST   $@"
	@$(GUESTS_CC) $(GUESTS_CFLAGS) -MMD -MP -c -o $@ $<

$(GUESTS_OUT)/%.elf: $(GUESTS_OUT)/%.c.o $(GUESTS_LIB) \
		$(GUESTS_DIR)/lib/guest.lds
	@$(CROSS_COMPILE)ld $(GUESTS_LDFLAGS) -o $@ $(filter %.o,$^) \
		$(GUESTS_SYSROOT)/lib/libfdt.a

$(GUESTS_OUT)/%.bin: $(GUESTS_OUT)/%.elf
	@$(CROSS_COMPILE)objcopy -O binary $< $@

$(CONFORM): GUESTS_CFLAGS += -I$(GUESTS_DIR)/conform

.PRECIOUS: $(GUESTS_OUT)/%.c.o $(GUESTS_OUT)/%.S.o $(GUESTS_OUT)/%.elf

-include $(wildcard $(GUESTS_OUT)/*.d $(GUESTS_OUT)/*/*.d)
