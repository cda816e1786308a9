# SPDX-License-Identifier: Apache-2.0
# Host unit tests: every tests/unit/test_*.c is one program. A test names what
# it links in comment lines at its head:
#   // LINK: core/evtchn.c core/evtchn_2l.c tests/fakes/fake_guest_mem.c
#   // CFLAGS: -Iarch/arm64/include/...        (optional)
#   // LIBS: -lfdt                             (optional)
UNIT_DIR := $(BUILD)/unit
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
HOSTCC ?= gcc
UNIT_CFLAGS := -std=gnu17 -g -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer \
	-Wall -Wextra -Wshadow -Wcast-qual -Wvla -Werror \
	-DCONFIG_DEBUG=1 -DUNIT_TEST=1 -Iinclude -Iarch/fake/include \
	-Iarch/arm64/include -Itests/fakes -I. -isystem $(BUILD)/include

# Tests of the scheduling core share what they link: tests/fakes/fake_cpus.h.
# A test names it: `// LINK: $(CPU_WORLD)` and `// LIBS: $(CPU_WORLD_LIBS)`.
CPU_WORLD := core/vcpu.c core/vcpu_create.c core/cpupool.c core/sched.c core/sched_params.c core/sched_keep.c core/sched_soft.c \
	core/sched_credit2.c core/sched_credit2_params.c core/sched_cap.c core/prioq.c core/sched_rtds.c \
	core/sched_rtds_params.c \
	core/sched_arinc653.c core/sched_null.c core/timer.c core/percpu.c core/work.c core/ipi.c \
	core/runstate.c core/lock.c debug/lock_check.c arch/fake/cpu.c \
	tests/fakes/fake_cpus.c
CPU_WORLD_LIBS := -Wl,--wrap=arch_vcpu_init,--wrap=arch_vcpu_fini \
	-Wl,--wrap=arch_time_ns,--wrap=arch_vcpu_has_pending \
	-Wl,--wrap=arch_virq_flush,--wrap=arch_vtimer_sync \
	-Wl,--wrap=arch_cpu_idle,--wrap=arch_halt

# Those of the auditor: tests/fakes/fake_audit.h.
AUDIT_WORLD := core/audit.c core/audit_text.c core/audit_memory.c core/audit_links.c \
	core/audit_streams.c core/iommu.c core/iommu_inspect.c core/iommu_mem.c \
	core/page_inspect.c core/irq.c \
	core/gnttab.c core/gnttab_op.c core/gnttab_map.c core/gnttab_dma.c core/gnttab_track.c \
	core/gnttab_copy.c \
	core/evtchn.c core/evtchn_bind.c core/evtchn_2l.c core/evtchn_fifo.c \
	core/hypercall.c core/hypercall_subop.c core/hypercall_table.c \
	core/memory.c core/memory_map.c core/memory_acquire.c core/heap.c \
	core/hc_version.c core/hc_console.c core/hc_sched.c core/hc_vcpu.c \
	core/hc_hvm.c core/hc_platform.c core/hc_misc.c core/hc_multicall.c \
	core/page_alloc.c core/page_claim.c core/page_table.c core/page_tree.c \
	core/static_mem.c core/page_range.c core/p2m.c \
	core/guest_win.c core/lock.c lib/printf.c \
	debug/lock_check.c arch/fake/mem.c arch/fake/p2m.c arch/fake/cpu.c \
	arch/fake/last_words.c tests/fakes/fake_guest_mem.c \
	tests/fakes/fake_world.c \
	tests/fakes/fake_audit.c

# And those of the nodes of boot-time domains; their devices are a tree apart.
FDT_DOM := $(filter-out boot/fdt_dom_dev.c,$(wildcard boot/fdt_dom*.c))

unit-links = $(shell sed -n 's|^// LINK: ||p' tests/unit/$(1).c)
unit-cflags = $(shell sed -n 's|^// CFLAGS: ||p' tests/unit/$(1).c)
unit-libs = $(shell sed -n 's|^// LIBS: ||p' tests/unit/$(1).c)

define unit_rule
$(UNIT_DIR)/$(1): tests/unit/$(1).c $(call unit-links,$(1)) \
		$(wildcard include/*/*.h arch/*/include/arch/*.h tests/fakes/*.h) \
		| $(BUILD)/include/xen
	@mkdir -p $(UNIT_DIR)
	@echo '  HOSTCC tests/unit/$(1).c'
	@$(HOSTCC) $(UNIT_CFLAGS) $(call unit-cflags,$(1)) -o $$@ \
		tests/unit/$(1).c $(call unit-links,$(1)) \
		-lcriterion $(call unit-libs,$(1))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

.PHONY: unit unit-build
unit-build: $(addprefix $(UNIT_DIR)/,$(UNIT_TESTS))

# `make unit T=test_evtchn` runs one. Ends with `N passed, N failed`.
unit: $(addprefix $(UNIT_DIR)/,$(or $(T),$(UNIT_TESTS)))
	@tools/build/run_unit.sh $^

$(BUILD)/include/xen:
	@mkdir -p $(BUILD)/include
	@test -d /usr/include/xen || { echo 'libxen-dev is missing: run tools/setup/host.sh' >&2; exit 1; }
	ln -sfn /usr/include/xen $@
