# SPDX-License-Identifier: Apache-2.0
# build/bulkhead-schedsim: the scheduler of the image, compiled for this
# machine, under a description (tools/schedsim/examples, docs/schedulers.md).
SCHEDSIM := $(BUILD)/bulkhead-schedsim
SCHEDSIM_SRC := $(wildcard tools/schedsim/*.c) arch/fake/last_words.c \
	$(filter-out tests/% debug/%,$(CPU_WORLD))
SCHEDSIM_CFLAGS := -std=gnu17 -g -O2 -Wall -Wextra -Wshadow -Wcast-qual -Wvla \
	-Werror -Iinclude -Iarch/fake/include -Iarch/arm64/include -I. \
	-isystem $(BUILD)/include

.PHONY: schedsim
schedsim: $(SCHEDSIM)

$(SCHEDSIM): $(SCHEDSIM_SRC) tools/schedsim/schedsim.mk \
		$(wildcard tools/schedsim/*.h include/*/*.h) \
		| $(BUILD)/include/xen
	@echo '  HOSTCC $@'
	@$(HOSTCC) $(SCHEDSIM_CFLAGS) -o $@ $(SCHEDSIM_SRC) \
		-Wl,--wrap=arch_cpu_idle
