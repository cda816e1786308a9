/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's command line. */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include <hv/platform.h>

struct option_help {
	const char *name;
	const char *form; /* what may stand behind '=' */
	const char *help;
};

/*
 * Set @o to the defaults, then to what @line says. An unknown option is one
 * warning; a bad value is logged and -EINVAL.
 */
__must_check int cmdline_parse(const char *line, struct options *o);
/* Row @n of the documentation, false when there is none. */
bool options_describe(uint32_t n, struct option_help *out);

#endif
