# SPDX-License-Identifier: Apache-2.0
# build/examples/bare-metal.bin: a guest of its own, without our libraries.
EXAMPLE := $(BUILD)/examples/bare-metal
EXAMPLE_SRC := examples/bare-metal/start.S examples/bare-metal/main.c
EXAMPLE_CFLAGS := -std=gnu17 -O2 -ffreestanding -fno-pic -fno-pie \
	-mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -Wall -Wextra -Wno-main -Werror \
	-nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096

# With the guests of tests, which need it too.
guests: examples

.PHONY: examples
examples: $(EXAMPLE).bin

$(EXAMPLE).bin: $(EXAMPLE_SRC) examples/bare-metal/bare.lds
	@mkdir -p $(dir $@)
	@echo '  GUEST   $@'
	@$(CROSS_COMPILE)gcc $(EXAMPLE_CFLAGS) -T examples/bare-metal/bare.lds \
		-o $(EXAMPLE).elf $(EXAMPLE_SRC)
	@$(CROSS_COMPILE)objcopy -O binary $(EXAMPLE).elf $@
