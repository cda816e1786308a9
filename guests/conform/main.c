/* SPDX-License-Identifier: Apache-2.0 */
/* The sections; a boot argument that is the name of one leaves out others. */
#include "conform.h"

static const struct test sections[] = {
	{ "firmware", conform_firmware },
	{ "sysregs", conform_sysregs },
	{ "faults", conform_faults },
	{ "el0", conform_el0 },
	{ "gic", conform_gic },
	{ "numbers", conform_numbers },
	{ "guest_calls", conform_guest_calls },
	{ "control_calls", conform_control_calls },
	{ "stories", conform_stories },
};

static void all(void)
{
	bool chosen = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		chosen |= has_bootarg(sections[i].name);
	}
	if (has_bootarg("end")) {
		conform_end();
	}
	pvconsole_batch(true);
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!chosen || has_bootarg(sections[i].name)) {
			printf("section %s\n", sections[i].name);
			sections[i].fn();
		}
	}
	pvconsole_batch(false);
}

const struct test guest_tests[] = {
	{ "conform", all },
	{ NULL, NULL },
};
