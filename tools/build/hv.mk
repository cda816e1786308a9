# SPDX-License-Identifier: Apache-2.0
# The hypervisor image. Sources by folder; boot/ and libfdt get sections of
# their own (".boot." prefix), which seal() gives back after boot.
ifeq ($(DEBUG),1)
OUT := $(BUILD)/$(ARCH)-debug
HV_DEBUG_DIR := debug
HV_DEFS := -DCONFIG_DEBUG=1
else
OUT := $(BUILD)/$(ARCH)
HV_DEBUG_DIR := release
HV_DEFS :=
endif
ifeq ($(CC_KIND),clang)
OUT := $(OUT)-clang
HV_CC := clang --target=aarch64-linux-gnu
HV_WARN_EXTRA := -Wthread-safety -Wno-unused-command-line-argument
else
HV_CC := $(CROSS_COMPILE)gcc
HV_WARN_EXTRA :=
endif
HV_LD := $(CROSS_COMPILE)ld
HV_OBJCOPY := $(CROSS_COMPILE)objcopy
HV_NM := $(CROSS_COMPILE)nm

SYSROOT := $(BUILD)/sysroot-arm64
LIBFDT_A := $(firstword $(wildcard $(SYSROOT)/lib/libfdt.a))
LIBFDT_INC := $(firstword $(wildcard $(SYSROOT)/include))

HV_WARN := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual \
	-Wmissing-prototypes -Wvla -Wswitch-enum -Werror $(HV_WARN_EXTRA)
HV_CFLAGS := -std=gnu17 -ffreestanding -fno-common -fno-pic -fno-pie \
	-mgeneral-regs-only -mno-outline-atomics -O2 -g \
	-fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-omit-frame-pointer -fno-delete-null-pointer-checks \
	-ffunction-sections -fdata-sections $(HV_WARN) $(HV_DEFS) \
	-Iinclude -Iarch/$(ARCH)/include -isystem $(BUILD)/include
HV_BOOT_CFLAGS := $(HV_CFLAGS) -isystem $(LIBFDT_INC) -mstrict-align -Os

HV_LTO :=
ifneq ($(CC_KIND),clang)
HV_CFLAGS += -fno-allow-store-data-races -fno-align-functions \
	-fno-align-jumps -fno-align-loops
# The release build inlines across files: the calls between small files then
# cost nothing (about a quarter of each trap), and the source keeps its shape.
ifneq ($(DEBUG),1)
HV_LTO := -flto -flto-partition=one
endif
endif

HV_SRC := $(filter-out lib/sha256.c drivers/smmu/%_init.c,$(wildcard core/*.c lib/*.c $(HV_DEBUG_DIR)/*.c drivers/*/*.c)) \
	$(filter-out arch/$(ARCH)/entry/offsets.c,$(wildcard arch/$(ARCH)/*/*.c))
# Compiled for size; the budgets of tests/perf hold with it. The rest is what most
# traps run through.
HV_COLD := $(wildcard \
	core/audit*.c core/console*.c core/domain*.c core/domctl*.c core/domctl*.c \
	core/platdev.c core/pci*.c core/vpci*.c core/evtchn_bind.c core/evtchn_fifo.c \
	core/gnttab.c core/gnttab_op.c \
	core/hc_console.c core/hc_domctl.c core/hc_hvm.c core/hc_m*.c \
	core/hc_platform.c core/hc_sched.c core/hc_sysctl.c core/hc_vcpu.c \
	core/gnttab_dma.c core/heap.c core/hypercall_subop.c core/iommu*.c core/ipi.c core/irq.c \
	core/memory*.c core/page_alloc.c core/page_claim.c \
	core/page_inspect.c core/page_range.c core/panic.c core/percpu.c core/prioq.c \
	core/restart.c core/restart_steps.c core/runstate.c core/sched*.c \
	core/static_mem.c core/cpupool.c core/hotplug.c \
	core/sysctl*.c core/timer.c core/trace.c core/vcpu.c \
	core/vcpu_create.c core/wallclock.c core/watchdog.c \
	arch/$(ARCH)/cpu/*.c arch/$(ARCH)/entry/trap_traced.c \
	arch/$(ARCH)/mm/stage1.c \
	arch/$(ARCH)/mm/vmid.c arch/$(ARCH)/trap/idregs.c \
	arch/$(ARCH)/trap/inject.c arch/$(ARCH)/trap/s1walk.c \
	arch/$(ARCH)/trap/sip.c \
	arch/$(ARCH)/trap/sysreg.c arch/$(ARCH)/vdev/vpsci.c \
	arch/$(ARCH)/vdev/vtimer.c arch/$(ARCH)/vgic/vgic.c \
	arch/$(ARCH)/vgic/vgic_change.c arch/$(ARCH)/vgic/vgic_dump.c \
	arch/$(ARCH)/vgic/vgic_reset.c \
	arch/$(ARCH)/vgic/vgicd_v2.c \
	arch/$(ARCH)/vgic/vgic_its.c arch/$(ARCH)/vgic/vgic_its_cmd.c \
	arch/$(ARCH)/vgic/vgicits_v3.c drivers/gic/its.c \
	drivers/gic/gicv2.c drivers/gic/gicv3.c drivers/pci/*.c drivers/smmu/*.c drivers/uart/*.c \
	arch/$(ARCH)/vgic/vgicd_v3.c arch/$(ARCH)/vgic/vgicr_v3.c drivers/gic/gich.c \
	core/mmio.c lib/printf.c)
HV_COLD := $(filter-out arch/$(ARCH)/cpu/context.c arch/$(ARCH)/cpu/time.c,$(HV_COLD))
HV_ASM := $(wildcard arch/$(ARCH)/*/*.S)
# boot/, and what nobody else needs.
BOOT_SRC := $(wildcard boot/*.c drivers/smmu/*_init.c) lib/sha256.c
HV_OBJ := $(HV_SRC:%.c=$(OUT)/%.o) $(HV_ASM:%.S=$(OUT)/%.o)
BOOT_OBJ := $(BOOT_SRC:%.c=$(OUT)/%.o)

.PHONY: image
image: $(OUT)/bulkhead

$(OUT)/offsets.h: arch/$(ARCH)/entry/offsets.c $(wildcard include/*/*.h arch/$(ARCH)/include/arch/*.h) | $(BUILD)/include/xen
	@mkdir -p $(OUT)
	@$(CROSS_COMPILE)gcc $(filter-out -g -W%,$(HV_CFLAGS)) -S -o $(OUT)/offsets.s $<
	@sed -n 's/^\t*\.ascii "\(#define .*\)\\n"/\1/p' $(OUT)/offsets.s > $@

$(OUT)/%.o: %.c Makefile tools/build/hv.mk | $(BUILD)/include/xen
	@mkdir -p $(dir $@)
	@echo '  CC    $<'
	@$(HV_CC) $(HV_CFLAGS) $(if $(filter $<,$(HV_COLD)),-Os) $(if $(filter lib/string.c,$<),,$(HV_LTO)) -MMD -MP -c -o $@ $<

$(BOOT_SRC:%.c=$(OUT)/%.o): $(OUT)/%.o: %.c Makefile tools/build/hv.mk | $(BUILD)/include/xen
	@mkdir -p $(dir $@)
	@test -n "$(LIBFDT_A)" || { echo 'libfdt for arm64 is missing: run tools/setup/fetch_arm64.sh' >&2; exit 1; }
	@echo '  CC    $<'
	@$(HV_CC) $(HV_BOOT_CFLAGS) -MMD -MP -MT $@ -MF $@.d -c -o $@.tmp $<
	@$(HV_OBJCOPY) --prefix-alloc-sections=.boot $@.tmp $@
	@rm -f $@.tmp

$(OUT)/%.o: %.S $(OUT)/offsets.h arch/$(ARCH)/include/arch/layout.h
	@mkdir -p $(dir $@)
	@echo '  AS    $<'
	@$(CROSS_COMPILE)gcc -D__ASSEMBLER__ -I$(OUT) -Iarch/$(ARCH)/include -g -c -o $@ $<

$(OUT)/libfdt_boot.a: $(LIBFDT_A)
	@mkdir -p $(OUT)
	@cp $< $@.tmp
	@$(HV_OBJCOPY) --prefix-alloc-sections=.boot $@.tmp $@
	@rm -f $@.tmp

$(OUT)/hv.lds: arch/$(ARCH)/hv.lds.S arch/$(ARCH)/include/arch/layout.h
	@mkdir -p $(OUT)
	@$(CROSS_COMPILE)gcc -E -P -x assembler-with-cpp -D__ASSEMBLER__ -Iarch/$(ARCH)/include -o $@ $<

# 843419, an erratum of Cortex-A53: all is within reach of an ADR, which takes
# no room; the other way round it costs a page in each section that is met.
HV_LDFLAGS := -nostdlib -static --no-undefined --gc-sections \
	-z noexecstack -z max-page-size=4096 --build-id=none --no-warn-rwx-segments \
	--fix-cortex-a53-843419=adr
comma := ,
ifeq ($(HV_LTO),)
HV_LINK = $(HV_LD) $(HV_LDFLAGS) -T $(OUT)/hv.lds
else
HV_LINK = $(HV_CC) $(HV_CFLAGS) $(HV_LTO) -flto=2 -fstack-usage -nostdlib -static \
	$(addprefix -Wl$(comma),$(filter-out -nostdlib -static -z noexecstack max-page-size=4096,$(HV_LDFLAGS))) \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -T $(OUT)/hv.lds
endif
HV_ALL_OBJ := $(HV_OBJ) $(BOOT_OBJ) $(OUT)/libfdt_boot.a

# Two links: the second carries the names of the first one's functions.
$(OUT)/bulkhead.elf: $(HV_ALL_OBJ) $(OUT)/hv.lds tools/build/symtab.py
	@echo '  LD    $@'
	@$(HV_LINK) -o $@.1 $(HV_OBJ) $(BOOT_OBJ) $(OUT)/libfdt_boot.a
	@$(HV_NM) -n $@.1 | /usr/bin/python3 tools/build/symtab.py > $(OUT)/symtab.S
	@$(CROSS_COMPILE)gcc -c -o $(OUT)/symtab.o $(OUT)/symtab.S
	@$(HV_LINK) $(if $(HV_LTO),-Wl$(comma))-Map$(if $(HV_LTO),$(comma),=)$(OUT)/bulkhead.map -o $@ $(HV_OBJ) $(BOOT_OBJ) $(OUT)/symtab.o $(OUT)/libfdt_boot.a
	@rm -f $@.1

$(OUT)/bulkhead: $(OUT)/bulkhead.elf
	@$(HV_OBJCOPY) -O binary $< $@
	@printf '%s: %d bytes\n' $@ $$(stat -c %s $@)

-include $(HV_OBJ:.o=.d) $(BOOT_OBJ:.o=.o.d)
