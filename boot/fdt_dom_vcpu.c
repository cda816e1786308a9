/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes "xen,vcpu" of a domain -> the CPUs that each of its vCPUs may use, and
 * its share of them (fdt_dom_sched.c).
 *
 * Owns    the list of them.
 * Not     whether these CPUs came up (dom0less.c).
 * Bounds  MAX_BOOT_VCPUS; one pass over each property.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt of 4.20, "xen,vcpu";
 *         4.17 has nothing of the kind.
 */
#include "fdt_dom_vcpu.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include "fdt_dom.h"
#include "fdt_parts.h"

struct boot_vcpu boot_vcpus[MAX_BOOT_VCPUS];
uint32_t nr_boot_vcpus;

const char *const dt_vcpu[] = { "xen,vcpu", NULL };

void fdt_vcpu_reset(void)
{
	nr_boot_vcpus = 0;
}

static bool is_known(uint8_t dom, uint32_t id)
{
	for (uint32_t i = 0; i < nr_boot_vcpus; i++) {
		if (boot_vcpus[i].dom == dom && boot_vcpus[i].id == id) {
			return true;
		}
	}
	return false;
}

static int read_id(struct dt *t, uint32_t idx, struct boot_vcpu *v)
{
	struct dt_prop p;
	uint32_t id;

	if (!dt_prop_named(t, idx, "id", &p)) {
		return dt_error(t, idx, "id", "is missing; add the number of "
				"the vCPU", -ENOENT);
	}
	id = p.len == 4 ? dt_be32(p.data) : UINT32_MAX;
	if (id >= boot_domains[v->dom].nr_vcpus) {
		return dt_error(t, idx, "id", "is not the number of a vCPU; "
				"they count from <0>, as many as \"cpus\" says",
				-EINVAL);
	}
	if (is_known(v->dom, id)) {
		return dt_error(t, idx, "id", "is that of another node too; "
				"leave one out", -EEXIST);
	}
	v->id = (uint8_t)id;
	return 0;
}

/* Of at most four digits: more than there are CPUs, and no overflow. */
static bool read_number(const char **s, uint32_t *out)
{
	const char *p = *s;
	uint32_t v = 0;

	while (*p >= '0' && *p <= '9' && p - *s < 4) {
		v = v * 10 + (uint32_t)(*p++ - '0');
	}
	*out = v;
	if (p == *s) {
		return false;
	}
	*s = p;
	return true;
}

/* "A" or "A-B"; moves @s behind it. -EINVAL, or -ENXIO: no such CPU. */
static int read_range(const char **s, uint32_t nr_cpus, uint64_t *cpus)
{
	uint32_t first, last;

	if (!read_number(s, &first)) {
		return -EINVAL;
	}
	last = first;
	if (**s == '-') {
		(*s)++;
		if (!read_number(s, &last) || last < first) {
			return -EINVAL;
		}
	}
	if (last >= nr_cpus) { /* at most NR_CPUS, at most 64 */
		return -ENXIO;
	}
	for (uint32_t i = first; i <= last; i++) {
		*cpus |= BIT64(i);
	}
	return 0;
}

/* Ranges with commas between them, and nothing else. */
static int read_list(const char *s, uint32_t nr_cpus, uint64_t *cpus)
{
	int rc = read_range(&s, nr_cpus, cpus);

	while (rc == 0 && *s == ',') {
		s++;
		rc = read_range(&s, nr_cpus, cpus);
	}
	return rc == 0 && *s != '\0' ? -EINVAL : rc;
}

static int read_affinity(struct dt *t, uint32_t idx,
			 const struct platform *plat, struct boot_vcpu *v)
{
	struct dt_prop p;
	int rc = -EINVAL;

	if (!dt_prop_named(t, idx, "hard-affinity", &p)) {
		return 0;
	}
	if (p.len != 0 && p.data[p.len - 1] == '\0') {
		rc = read_list((const char *)p.data, plat->nr_cpus, &v->cpus);
	}
	if (rc == -ENXIO) {
		return dt_error(t, idx, "hard-affinity",
				"names a CPU that this machine does not have; "
				"they count from 0", rc);
	}
	if (rc) {
		return dt_error(t, idx, "hard-affinity",
				"is no list of CPUs; write them as \"0,2-3\"",
				rc);
	}
	return 0;
}

int fdt_vcpu_parse(struct dt *t, uint32_t idx, const struct platform *p,
		   uint8_t dom)
{
	struct boot_vcpu *v = &boot_vcpus[nr_boot_vcpus];
	int rc;

	if (nr_boot_vcpus == MAX_BOOT_VCPUS) {
		return dt_error(t, idx, "compatible", "makes more than 128 "
				"such nodes; leave some out", -ENOSPC);
	}
	*v = (struct boot_vcpu){ .dom = dom };
	rc = read_id(t, idx, v);
	if (rc == 0) {
		rc = read_affinity(t, idx, p, v);
	}
	if (rc == 0) {
		rc = fdt_sched_read(t, idx, &v->sched);
	}
	nr_boot_vcpus += rc == 0;
	return rc;
}
