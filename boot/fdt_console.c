/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which serial port is the console, and its first register and interrupt.
 *
 * Not     which driver fits (boot/drivers.c compares p->uart.compatible).
 * Spec    [DT] 3.6 "/chosen Node", stdout-path.
 */
#include "fdt_platform.h"

#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_addr.h"
#include "fdt_irq.h"
#include "fdt_parts.h"

static int console_use(struct dt *t, uint32_t idx, struct platform *p)
{
	const char *list = dt_string(t, idx, DT_COMPATIBLE);
	uint32_t size = 0;
	struct mem_range r;
	struct dt_irq q;

	if (!list) {
		return dt_error(t, idx, "compatible",
				"is missing; name a serial port as console",
				-ENODEV);
	}
	if (dt_reg(t, idx, 0, &r) || r.size == 0) {
		return dt_error(t, idx, "reg",
				"is no CPU address; name a serial port as "
				"console", -ENODEV);
	}
	p->uart.base = r.start;
	p->uart.size = r.size;
	(void)dt_prop(t, idx, DT_COMPATIBLE, &size);
	p->uart.compatible = list;
	p->uart.compatible_size = size;
	p->uart.node = (int)t->node[idx].offset;
	/* A console without an interrupt only prints. */
	p->uart.intid = 0;
	if (dt_irq(t, dt_by_offset(t, p->gic.node), idx, 0, &q) == 0) {
		p->uart.intid = q.intid;
	}
	return 0;
}

static const char *stdout_path(struct dt *t)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);
	const char *path;

	if (chosen == DT_NONE) {
		return NULL;
	}
	path = dt_string(t, chosen, DT_STDOUT_PATH);
	return path ? path : dt_string(t, chosen, DT_LINUX_STDOUT_PATH);
}

int fdt_platform_find_console(struct platform *p, const char *dtuart)
{
	struct dt *t = &host_dt;
	const char *path = dtuart;
	uint32_t idx;
	int rc;

	p->uart.node = -1;
	if (!path || path[0] == 0) {
		path = stdout_path(t);
	}
	if (!path) {
		log_warn("device tree: /chosen: no \"stdout-path\" and no "
			 "dtuart= option; there is no console\n");
		return 0;
	}
	idx = dt_resolve(t, path, (uint32_t)strlen(path));
	if (idx == DT_NONE && path != dtuart) {
		log_warn("device tree: /chosen: \"stdout-path\" %s names no "
			 "node; there is no console\n", path);
		return 0;
	}
	if (idx == DT_NONE) {
		log_err("option dtuart=%s: no such node or alias; give a path "
			"of the device tree or an alias such as serial0\n",
			path);
		return -ENODEV;
	}
	rc = console_use(t, idx, p);
	/* What firmware said by itself may be wrong; boot silently then. */
	return path == dtuart ? rc : 0;
}
