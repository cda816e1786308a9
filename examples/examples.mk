# SPDX-License-Identifier: Apache-2.0
# build/examples/NAME.bin: guests of their own, with guests/lib/client and
# nothing else. A program is one file, or the file and what it includes.
EXAMPLES_OUT := $(BUILD)/examples
CLIENT := guests/lib/client
CLIENT_SRC := $(wildcard $(CLIENT)/*.S $(CLIENT)/*.c)
EXAMPLE_bare-metal := examples/bare-metal/main.c
EXAMPLE_asks := examples/messages/asks.c
EXAMPLE_answers := examples/messages/answers.c
EXAMPLE_loop := examples/rtos/loop.c
EXAMPLE_untrusted := examples/filter/untrusted.c
EXAMPLE_filter := examples/filter/filter.c
EXAMPLE_trusted := examples/filter/trusted.c
EXAMPLE_cluster := examples/cluster/cluster.c
EXAMPLE_sound := examples/infotainment/sound.c
EXAMPLE_telematics := examples/canfw/telematics.c
EXAMPLE_control := examples/canfw/control.c
EXAMPLE_arbiter := examples/redundant/arbiter.c
EXAMPLE_controller := examples/redundant/controller.c
EXAMPLE_NAMES := bare-metal asks answers loop untrusted filter trusted \
	cluster sound telematics control arbiter controller
EXAMPLE_CFLAGS := -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie \
	-mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Wshadow -Wno-main \
	-Werror -I$(CLIENT) -nostdlib -static -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096

# With the guests of tests, which need it too.
guests: examples

.PHONY: examples
examples: $(EXAMPLE_NAMES:%=$(EXAMPLES_OUT)/%.bin)

define example_rule
$(EXAMPLES_OUT)/$(1).bin: $(EXAMPLE_$(1)) $(CLIENT_SRC) \
		$(wildcard $(CLIENT)/*.h $(dir $(EXAMPLE_$(1)))*.h) \
		$(CLIENT)/client.lds
	@mkdir -p $$(@D)
	@echo '  GUEST   $$@'
	@$$(CROSS_COMPILE)gcc $$(EXAMPLE_CFLAGS) -T $(CLIENT)/client.lds \
		-o $$(@:.bin=.elf) $(EXAMPLE_$(1)) $(CLIENT_SRC)
	@$$(CROSS_COMPILE)objcopy -O binary $$(@:.bin=.elf) $$@
endef
$(foreach name,$(EXAMPLE_NAMES),$(eval $(call example_rule,$(name))))

# The example guests' ramdisk, and after it some files: $(1), in folder $(2).
# Whole at once, as two runs of tests may make it at the same time.
define ramdisk_and
@echo '  IMAGE   $@'
@cd $(2) && printf '%s\n' $(1) | cpio --quiet -o -H newc -R 0:0 | gzip -n | \
	cat $(abspath $<) - >$(abspath $@).$$$$ && mv $(abspath $@).$$$$ \
	$(abspath $@)
endef

# With what makes a Linux work hard. Apart from `examples`: it needs
# tools/image/mkdom0.py to have run.
$(EXAMPLES_OUT)/busy-linux.cpio.gz: $(BUILD)/dom0/domu.cpio.gz \
		examples/rtos/bin/busy examples/rtos/etc/inittab
	$(call ramdisk_and,bin/busy etc/inittab,examples/rtos)

# ... and the one with a word for how loud it is.
$(EXAMPLES_OUT)/infotainment.cpio.gz: $(BUILD)/dom0/domu.cpio.gz \
		examples/infotainment/bin/volume
	$(call ramdisk_and,bin/volume,examples/infotainment)
