# SPDX-License-Identifier: Apache-2.0
# bulkhead-image, a program of the host: its own files and the hypervisor's
# code that reads a device tree. Built twice: to be used, and with sanitizers
# for its tests.
IMAGE_TOOL := $(BUILD)/bulkhead-image
IMAGE_SRC := $(wildcard tools/bulkhead-image/*.c) \
	$(wildcard boot/fdt_*.c) boot/cmdline.c boot/gunzip.c boot/inflate.c \
	boot/kernel_image.c boot/memory.c boot/modules.c \
	boot/option_values.c boot/ranges.c core/page_table.c lib/printf.c \
	lib/sha256.c
IMAGE_CFLAGS := -std=gnu17 -g -O2 -Wall -Wextra -Wshadow -Wcast-qual -Wvla \
	-Werror -ffunction-sections -Iinclude -Iarch/fake/include \
	-Iarch/arm64/include -I. -isystem $(BUILD)/include
IMAGE_LINK := $(IMAGE_SRC) -Wl,--gc-sections \
	-Wl,--wrap=page_alloc_free_range -lfdt
IMAGE_NEEDS := $(IMAGE_SRC) $(wildcard tools/bulkhead-image/*.h boot/*.h \
	include/*/*.h arch/*/include/arch/*.h)

# Whole at once: two runs of tests may make it at the same time.
define image_link
@echo '  HOSTCC $@'
@$(HOSTCC) $(1) -o $@.$$$$ $(IMAGE_LINK) && mv $@.$$$$ $@
endef

all: $(IMAGE_TOOL)

$(IMAGE_TOOL): $(IMAGE_NEEDS) | $(BUILD)/include/xen
	$(call image_link,$(IMAGE_CFLAGS))

$(IMAGE_TOOL)-checked: $(IMAGE_NEEDS) | $(BUILD)/include/xen
	$(call image_link,$(UNIT_CFLAGS) -ffunction-sections)
