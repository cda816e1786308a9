# SPDX-License-Identifier: Apache-2.0
# `make fuzz`: each tests/fuzz/fuzz_*.c is one libFuzzer program, run with a
# fixed seed and a fixed number of inputs, so that two runs do the same. A
# fuzzer names what it links as a unit test does (// LINK: // CFLAGS: // LIBS:)
# and may set `// RUNS: N`. A rule for build/fuzz/NAME.seeds makes its first
# inputs. `make fuzz F=fuzz_dom_fdt RUNS=1000000` runs one for longer.
FUZZ_DIR := $(BUILD)/fuzz
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CFLAGS := $(UNIT_CFLAGS) -fsanitize=fuzzer

fuzz-links = $(shell sed -n 's|^// LINK: ||p' tests/fuzz/$(1).c)
fuzz-cflags = $(shell sed -n 's|^// CFLAGS: ||p' tests/fuzz/$(1).c)
fuzz-libs = $(shell sed -n 's|^// LIBS: ||p' tests/fuzz/$(1).c)
fuzz-runs = $(or $(RUNS),$(shell sed -n 's|^// RUNS: ||p' tests/fuzz/$(1).c),20000)

define fuzz_rule
$(FUZZ_DIR)/$(1): tests/fuzz/$(1).c $(call fuzz-links,$(1)) \
		$(wildcard boot/*.h include/*/*.h arch/*/include/arch/*.h \
		tests/fakes/*.h) | $(BUILD)/include/xen
	@mkdir -p $(FUZZ_DIR)
	clang $(FUZZ_CFLAGS) $(call fuzz-cflags,$(1)) -o $$@ \
		tests/fuzz/$(1).c $(call fuzz-links,$(1)) \
		$(call fuzz-libs,$(1))
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzz_rule,$(t))))

# Fuzzers without seeds of their own start from nothing.
$(FUZZ_DIR)/%.seeds:
	@mkdir -p $@

# Trees of the fake machine, packed and damaged images, command lines; and
# real boards as a boot loader would hand them over, when they are there.
$(FUZZ_DIR)/fuzz_dom_fdt.seeds: tests/fuzz/seeds_dom_fdt.c \
		tests/fakes/fake_tree.c tests/fakes/fake_tree.h
	@mkdir -p $@
	$(HOSTCC) $(UNIT_CFLAGS) -o $(FUZZ_DIR)/seeds_dom_fdt $< \
		tests/fakes/fake_tree.c -lfdt
	$(FUZZ_DIR)/seeds_dom_fdt $@
	@for b in rockchip/rk3399-nanopi-m4 freescale/imx8mq-evk \
			arm/juno arm/foundation-v8 amd/amd-overdrive-rev-b1 \
			broadcom/bcm2711-rpi-4-b qcom/sdm845-mtp; do \
		f=$(BUILD)/peer/dtbs/$$b.dtb; \
		[ ! -f $$f ] || cp $$f $@/; \
	done
	@touch $@

.PHONY: fuzz
# Ends with `N passed, N failed`.
fuzz: $(addprefix $(FUZZ_DIR)/,$(or $(F),$(FUZZERS))) \
		$(addprefix $(FUZZ_DIR)/,$(addsuffix .seeds,$(or $(F),$(FUZZERS))))
	@tests/fuzz/run.sh $(FUZZ_DIR) $(foreach f,$(or $(F),$(FUZZERS)),$(f):$(call fuzz-runs,$(f)))
