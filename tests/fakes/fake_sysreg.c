/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

uint64_t fake_sysreg_default;

static struct {
	const char *name;
	uint64_t v;
} regs[128];

uint64_t *fake_sysreg(const char *name)
{
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		if (!regs[i].name) {
			regs[i].name = name;
			regs[i].v = fake_sysreg_default;
		}
		if (!strcmp(regs[i].name, name)) {
			return &regs[i].v;
		}
	}
	abort();
}
