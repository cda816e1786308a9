/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's device tree into struct platform: order, memory, CPUs.
 *
 * Owns    `platform`; written here and in the other fdt_*.c only.
 * Not     interrupt controller, timer, PSCI (fdt_gic.c), modules and command
 *         lines (fdt_chosen.c), console (fdt_console.c).
 * Bounds  one visit per node; banks are merged by insertion (32 of them).
 * Spec    [DT] 3.4 "/memory node", 3.5 "/reserved-memory node", 3.8 "/cpus".
 */
#include "fdt_platform.h"

#include <hv/console.h>
#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <libfdt.h>
#include "fdt_addr.h"
#include "fdt_parts.h"

#define MPIDR_AFFINITY UINT64_C(0xff00ffffff) /* Aff3, Aff2, Aff1, Aff0 */

struct platform platform __sealed;

int dt_error(struct dt *t, uint32_t idx, const char *prop, const char *what,
	     int rc)
{
	char path[96];

	log_err("device tree: %s: \"%s\" %s\n",
		dt_path(t, idx, path, sizeof(path)), prop, what);
	return rc;
}

/* ---- memory -------------------------------------------------------------- */

/* Insert [start, end) at its place; touching banks become one. */
static int bank_add(struct platform *p, uint64_t start, uint64_t end)
{
	uint32_t i = 0;
	uint32_t j;

	while (i < p->nr_banks &&
	       p->bank[i].start + p->bank[i].size < start) {
		i++;
	}
	/* Banks i..j-1 touch or overlap the new one. */
	for (j = i; j < p->nr_banks && p->bank[j].start <= end; j++) {
		uint64_t bank_end = p->bank[j].start + p->bank[j].size;

		start = p->bank[j].start < start ? p->bank[j].start : start;
		end = bank_end > end ? bank_end : end;
	}
	if (i == j && p->nr_banks == ARRAY_SIZE(p->bank)) {
		return -ENOSPC;
	}
	memmove(&p->bank[i + 1], &p->bank[j],
		(p->nr_banks - j) * sizeof(p->bank[0]));
	p->nr_banks = p->nr_banks + 1 - (j - i);
	p->bank[i] = (struct mem_range){ .start = start, .size = end - start };
	return 0;
}

static int memory_node(struct dt *t, uint32_t idx, struct platform *p)
{
	struct mem_range r;
	int rc;

	for (uint32_t n = 0; (rc = dt_reg(t, idx, n, &r)) == 0; n++) {
		uint64_t start = align_up(r.start, PAGE_SIZE);
		uint64_t end = align_down(r.start + r.size, PAGE_SIZE);

		if (r.start + r.size > PA_LIMIT) {
			return dt_error(t, idx, "reg",
					"reaches beyond 2^48; correct it",
					-EINVAL);
		}
		/* Firmware leaves unused entries empty. */
		if (end > start && bank_add(p, start, end)) {
			return dt_error(t, idx, "reg",
					"is one bank too many; give at most 32",
					-ENOSPC);
		}
	}
	if (rc != -ENOENT) {
		return dt_error(t, idx, "reg",
				"cannot be read; check #address-cells, "
				"#size-cells and ranges above it", -EINVAL);
	}
	return 0;
}

int fdt_parse_memory(struct dt *t, struct platform *p)
{
	for (uint32_t i = 1; i < t->nr_nodes; i++) {
		const char *type = dt_string(t, i, DT_DEVICE_TYPE);
		int rc;

		if (!type || strcmp(type, "memory") != 0 ||
		    !dt_is_available(t, i)) {
			continue;
		}
		rc = memory_node(t, i, p);
		if (rc) {
			return rc;
		}
	}
	if (p->nr_banks == 0) {
		log_err("device tree: no node has device_type \"memory\" and a "
			"non-empty \"reg\"; let the boot loader fill it in\n");
		return -ENODEV;
	}
	return 0;
}

static int reserved_add(struct platform *p, uint64_t start, uint64_t size,
			uint32_t flags)
{
	if (size == 0) {
		return 0;
	}
	if (start > PA_LIMIT || size > PA_LIMIT - start) {
		log_err("device tree: reserved range at 0x%llx reaches beyond "
			"2^48; correct it\n", (unsigned long long)start);
		return -EINVAL;
	}
	if (p->nr_reserved == MAX_RESERVED) {
		log_err("device tree: more than %u reserved ranges; raise "
			"MAX_RESERVED\n", MAX_RESERVED);
		return -ENOSPC;
	}
	p->reserved[p->nr_reserved] =
		(struct mem_range){ .start = start, .size = size };
	p->reserved_flags[p->nr_reserved] = (uint8_t)flags;
	p->nr_reserved++;
	return 0;
}

static int parse_memreserve(const void *fdt, struct platform *p)
{
	int nr = fdt_num_mem_rsv(fdt);

	for (int i = 0; i < nr; i++) {
		uint64_t start;
		uint64_t size;
		int rc = fdt_get_mem_rsv(fdt, i, &start, &size) ? -EINVAL : 0;

		if (rc == 0) {
			rc = reserved_add(p, start, size, 0);
		}
		if (rc) {
			return rc;
		}
	}
	return 0;
}

int fdt_parse_reserved(struct dt *t, struct platform *p)
{
	uint32_t parent = dt_resolve(t, "/reserved-memory", 16);
	int rc = parse_memreserve(t->fdt, p);

	if (rc || parent == DT_NONE) {
		return rc;
	}
	for (uint32_t i = parent + 1; i < t->node[parent].end;
	     i = t->node[i].end) {
		uint32_t flags = RESERVED_NODE;
		struct mem_range r;

		if (!dt_is_available(t, i)) {
			continue;
		}
		if (dt_has(t, i, DT_NO_MAP)) {
			flags |= RESERVED_NO_MAP;
		}
		/* Without "reg" it is a wish of dom0's kernel, not a place. */
		for (uint32_t n = 0; (rc = dt_reg(t, i, n, &r)) == 0; n++) {
			rc = reserved_add(p, r.start, r.size, flags);
			if (rc) {
				return rc;
			}
		}
		if (rc != -ENOENT) {
			return dt_error(t, i, "reg",
					"cannot be read; /reserved-memory "
					"needs ranges and the root's cells",
					-EINVAL);
		}
	}
	return 0;
}

/* ---- CPUs ---------------------------------------------------------------- */

static void cpu_enable_read(struct dt *t, uint32_t idx, struct platform *p,
			    uint32_t cpu)
{
	const char *method = dt_string(t, idx, DT_ENABLE_METHOD);
	uint32_t len;
	const uint8_t *addr = dt_prop(t, idx, DT_CPU_RELEASE_ADDR, &len);

	p->cpu_model[cpu] = dt_string(t, idx, DT_COMPATIBLE);
	if (!p->cpu_model[cpu]) {
		p->cpu_model[cpu] = "";
	}
	p->cpu_enable[cpu] = CPU_ENABLE_NONE;
	p->cpu_release_addr[cpu] = 0;
	if (method && strcmp(method, "psci") == 0) {
		p->cpu_enable[cpu] = CPU_ENABLE_PSCI;
	} else if (method && strcmp(method, "spin-table") == 0 && addr &&
		   (len == 8 || len == 4)) {
		p->cpu_enable[cpu] = CPU_ENABLE_SPIN_TABLE;
		p->cpu_release_addr[cpu] = dt_cells(addr, len / 4);
	}
}

static bool is_cpu(struct dt *t, uint32_t idx)
{
	const char *type = dt_string(t, idx, DT_DEVICE_TYPE);

	return type && strcmp(type, "cpu") == 0;
}

/* Place for a CPU: the boot CPU is always number 0. UINT32_MAX: full. */
static uint32_t cpu_slot(struct platform *p, bool is_boot, bool boot_seen)
{
	if (is_boot) {
		/* Keep the order of the tree: everybody before moves up. */
		uint32_t nr = p->nr_cpus == NR_CPUS ? NR_CPUS - 1 : p->nr_cpus;

		memmove(&p->cpu_mpidr[1], &p->cpu_mpidr[0],
			nr * sizeof(p->cpu_mpidr[0]));
		memmove(&p->cpu_enable[1], &p->cpu_enable[0],
			nr * sizeof(p->cpu_enable[0]));
		memmove(&p->cpu_release_addr[1], &p->cpu_release_addr[0],
			nr * sizeof(p->cpu_release_addr[0]));
		memmove(&p->cpu_model[1], &p->cpu_model[0],
			nr * sizeof(p->cpu_model[0]));
		p->nr_cpus = nr + 1;
		return 0;
	}
	/* The boot CPU may come last: its place stays free until then. */
	if (p->nr_cpus == (boot_seen ? NR_CPUS : NR_CPUS - 1)) {
		return UINT32_MAX;
	}
	return p->nr_cpus++;
}

static int cpu_node(struct dt *t, uint32_t idx, uint64_t boot_mpidr,
		    struct platform *p, bool *boot_seen)
{
	uint64_t boot = boot_mpidr & MPIDR_AFFINITY;
	struct mem_range r;
	uint32_t cpu;

	if (dt_reg_raw(t, idx, 0, &r) != 0 || (r.start & ~MPIDR_AFFINITY)) {
		return dt_error(t, idx, "reg",
				"is not an MPIDR; use 1 or 2 address cells and "
				"0 size cells in /cpus", -EINVAL);
	}
	for (uint32_t i = 0; i < p->nr_cpus; i++) {
		if (p->cpu_mpidr[i] == r.start) {
			return dt_error(t, idx, "reg",
					"names an MPIDR twice; correct one",
					-EINVAL);
		}
	}
	p->nr_cpus_found++;
	cpu = cpu_slot(p, r.start == boot, *boot_seen);
	*boot_seen |= r.start == boot;
	if (cpu != UINT32_MAX) {
		p->cpu_mpidr[cpu] = r.start;
		cpu_enable_read(t, idx, p, cpu);
	}
	return 0;
}

int fdt_parse_cpus(struct dt *t, uint64_t boot_mpidr, struct platform *p)
{
	uint32_t cpus = dt_resolve(t, "/cpus", 5);
	bool boot_seen = false;
	int rc;

	if (cpus == DT_NONE) {
		log_err("device tree: no node /cpus; describe the CPUs\n");
		return -ENODEV;
	}
	for (uint32_t i = cpus + 1; i < t->node[cpus].end;
	     i = t->node[i].end) {
		if (!is_cpu(t, i) || !dt_is_available(t, i)) {
			continue;
		}
		rc = cpu_node(t, i, boot_mpidr, p, &boot_seen);
		if (rc) {
			return rc;
		}
	}
	if (!boot_seen) {
		log_err("device tree: /cpus: no available node has the boot "
			"CPU's MPIDR 0x%llx in \"reg\"; add it\n",
			(unsigned long long)(boot_mpidr & MPIDR_AFFINITY));
		return -ENODEV;
	}
	if (p->nr_cpus < p->nr_cpus_found) {
		log_warn("device tree: /cpus: %u CPUs, the first %u are used; "
			 "raise NR_CPUS for all\n", p->nr_cpus_found,
			 p->nr_cpus);
	}
	return 0;
}

int fdt_platform_parse(const void *fdt, uint64_t boot_mpidr,
		       struct platform *p)
{
	static int (*const part[])(struct dt *t, struct platform *p) = {
		fdt_parse_chosen, fdt_parse_memory, fdt_parse_reserved,
		fdt_parse_gic, fdt_parse_timer, fdt_parse_psci,
		fdt_parse_firmware,
	};
	struct dt *t = &host_dt;
	int rc;

	memset(p, 0, sizeof(*p));
	p->uart.node = -1;
	p->gic.node = -1;
	p->timer.node = -1;
	rc = dt_open(t, fdt, DT_MAX_SIZE);
	if (rc) {
		return rc;
	}
	p->fdt = fdt;
	p->fdt_size = fdt_totalsize(fdt);
	for (uint32_t i = 0; i < ARRAY_SIZE(part); i++) {
		rc = part[i](t, p);
		if (rc) {
			return rc;
		}
	}
	return fdt_parse_cpus(t, boot_mpidr, p);
}
