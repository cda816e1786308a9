/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what guests need out of the device tree the hypervisor made. */
#include <libfdt.h>

#include "guest.h"

struct platform machine;

static uint64_t cells(const fdt32_t **p, int n)
{
	uint64_t v = 0;

	while (n-- > 0) {
		v = v << 32 | fdt32_to_cpu(*(*p)++);
	}
	return v;
}

/* The reg ranges of a node, at most max of them. */
static unsigned int read_reg(const void *fdt, int node, struct range *out,
			     unsigned int max)
{
	int parent = fdt_parent_offset(fdt, node);
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	unsigned int n = 0;
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "reg", &len);
	const fdt32_t *end;

	if (!p || ac < 0 || sc < 0) {
		return 0;
	}
	end = p + len / 4;
	while (n < max && p + ac + sc <= end) {
		out[n].base = cells(&p, ac);
		out[n].size = cells(&p, sc);
		n++;
	}
	return n;
}

/* INTID of the index-th interrupt specifier (three cells each). */
static unsigned int read_intid(const void *fdt, int node, unsigned int index)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupts", &len);

	if (!p || len < (int)(index + 1) * 12) {
		return 0;
	}
	p += index * 3;
	return fdt32_to_cpu(p[1]) + (fdt32_to_cpu(p[0]) == 1 ? 16 : 32);
}

static bool read_gic(const void *fdt)
{
	static const char * const v2[] = {
		"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic",
	};
	struct range r[5];
	unsigned int n;
	unsigned int i;
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");

	machine.gic_version = 3;
	for (i = 0; node < 0 && i < ARRAY_SIZE(v2); i++) {
		node = fdt_node_offset_by_compatible(fdt, -1, v2[i]);
		machine.gic_version = 2;
	}
	n = node < 0 ? 0 : read_reg(fdt, node, r, ARRAY_SIZE(r));
	if (n < 2) {
		return false;
	}
	machine.gicd = r[0];
	machine.gicc = r[1];
	for (i = 1; machine.gic_version == 3 && i < n; i++) {
		machine.gicr[machine.nr_gicr++] = r[i];
	}
	return true;
}

static bool is_type(const void *fdt, int node, const char *type)
{
	int len;
	const char *p = fdt_getprop(fdt, node, "device_type", &len);

	return p && (size_t)len == strlen(type) + 1 &&
	       !memcmp(p, type, (size_t)len);
}

static void read_cpus_and_ram(const void *fdt)
{
	struct range r[4];
	unsigned int i;
	int node;

	for (node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		unsigned int n = read_reg(fdt, node, r, ARRAY_SIZE(r));

		if (is_type(fdt, node, "cpu") && n &&
		    machine.nr_cpus < MAX_CPUS) {
			machine.mpidr[machine.nr_cpus++] = r[0].base;
		}
		if (!is_type(fdt, node, "memory")) {
			continue;
		}
		for (i = 0; i < n && machine.nr_ram < 8; i++) {
			machine.ram[machine.nr_ram++] = r[i];
		}
	}
}

const char *bootargs(void)
{
	int node = fdt_path_offset(machine.fdt, "/chosen");
	const char *args = node < 0 ? NULL :
			   fdt_getprop(machine.fdt, node, "bootargs", NULL);

	return args ? args : "";
}

bool has_bootarg(const char *word)
{
	const char *args = bootargs();
	const char *at = find(args, word);

	for (; at; at = find(at + 1, word)) {
		char after = at[strlen(word)];

		if ((at == args || at[-1] == ' ') && (!after || after == ' ')) {
			return true;
		}
	}
	return false;
}

static uint64_t hex(const char **p)
{
	uint64_t v = 0;

	for (;; (*p)++) {
		unsigned int c = (unsigned char)**p;

		if (c >= '0' && c <= '9') {
			v = v << 4 | (c - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (c - 'a' + 10);
		} else {
			return v;
		}
	}
}

bool bootarg_next(const char *word, const char **at, struct range *out)
{
	*at = find(*at ? *at : bootargs(), word);
	if (!*at) {
		return false;
	}
	*at += strlen(word);
	out->base = hex(at);
	out->size = 0;
	if (**at == '+') {
		(*at)++;
		out->size = hex(at);
	}
	return true;
}

static void read_device(const void *fdt, int node, uint64_t *base,
			unsigned int *intid)
{
	struct range r;

	if (node >= 0 && read_reg(fdt, node, &r, 1)) {
		*base = r.base;
		*intid = read_intid(fdt, node, 0);
	}
}

/*
 * A domain that starts at boot has one, and so has the machine itself; dom0
 * prints by hypercall.
 */
static void read_uart(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,sbsa-uart");

	if (node < 0 && machine.native) {
		node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	}
	read_device(fdt, node, &machine.uart, &machine.intid_uart);
}

int platform_read(const void *fdt)
{
	int node;

	if (fdt_check_header(fdt)) {
		return -1;
	}
	machine.fdt = fdt;
	machine.strict = has_bootarg("strict");
	read_cpus_and_ram(fdt);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");
	if (node >= 0) {
		machine.intid_ptimer = read_intid(fdt, node, 1);
		machine.intid_vtimer = read_intid(fdt, node, 2);
	}
	node = fdt_node_offset_by_compatible(fdt, -1, "xen,xen");
	machine.native = node < 0;
	if (node >= 0) {
		machine.intid_evtchn = read_intid(fdt, node, 0);
		read_reg(fdt, node, &machine.grant, 1);
	}
	read_uart(fdt);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl031");
	read_device(fdt, node, &machine.rtc, &machine.intid_rtc);
	return read_gic(fdt) ? 0 : -1;
}
