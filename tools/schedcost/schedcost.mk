# SPDX-License-Identifier: Apache-2.0
# build/schedcost: the scheduler of the image, compiled for this machine, for
# the instruction counter of tools/bench/schedbench.py.
SCHEDCOST := $(BUILD)/schedcost
SCHEDCOST_SRC := tools/schedcost/main.c tools/schedsim/world.c \
	arch/fake/last_words.c $(filter-out tests/% debug/%,$(CPU_WORLD))

$(SCHEDCOST): $(SCHEDCOST_SRC) tools/schedcost/schedcost.mk \
		$(wildcard tools/schedsim/*.h include/*/*.h) \
		| $(BUILD)/include/xen
	@echo '  HOSTCC $@'
	@$(HOSTCC) $(SCHEDSIM_CFLAGS) -o $@ $(SCHEDCOST_SRC) \
		-Wl,--wrap=arch_cpu_idle
