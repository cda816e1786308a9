/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "bulkhead,pci" of a domain's node -> numbers of PCI functions, and which
 * domains may have some.
 *
 * Not     whether there are such functions (core/pci.c, when they are given).
 * Rule    of two nodes that name the same function the later one is refused.
 * Bounds  VPCI_FUNCTIONS a domain, each looked up among those of all.
 * Spec    Ours: no release of Xen has such a property. The names are those of
 *         xl's pci=.
 */
#include "fdt_dom_pci.h"

#include <lib/errno.h>
#include "fdt_dom.h"
#include "fdt_parts.h"
#include "modules.h"

#define PROP "bulkhead,pci"
#define NAME_SIZE 13u /* "0000:00:03.0" and its NUL */
#define NOT_ONE UINT64_MAX

/* @n digits of base 16; more than that: UINT32_MAX. */
static uint32_t digits(const uint8_t *at, uint32_t n)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = at[i] | 0x20u;

		if (at[i] >= '0' && at[i] <= '9') {
			v = v << 4 | (at[i] - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (c - 'a' + 10);
		} else {
			return UINT32_MAX;
		}
	}
	return v;
}

/* NOT_ONE: that is not the name of a function. */
static uint64_t read_name(const uint8_t *at)
{
	uint32_t segment = digits(at, 4);
	uint32_t bus = digits(at + 5, 2);
	uint32_t device = digits(at + 8, 2);
	uint32_t function = digits(at + 11, 1);

	if (at[4] != ':' || at[7] != ':' || at[10] != '.' || at[12] != '\0' ||
	    segment > 0xffff || bus > 0xff || device > 31 || function > 7) {
		return NOT_ONE;
	}
	return segment << 16 | bus << 8 | device << 3 | function;
}

/* @b is the last of boot_domains so far. */
static bool is_named(const struct boot_domain *b, uint32_t sbdf)
{
	for (const struct boot_domain *o = boot_domains; o <= b; o++) {
		for (uint32_t i = 0; i < o->pci.nr && !o->refused; i++) {
			if (o->pci.sbdf[i] == sbdf) {
				return true;
			}
		}
	}
	return false;
}

int fdt_dom_pci_parse(struct dt *t, uint32_t idx, const struct dt_prop *p,
		      struct boot_domain *b)
{
	uint32_t pos = 0;

	do {
		uint64_t sbdf = p->len - pos < NAME_SIZE ?
					NOT_ONE : read_name(p->data + pos);

		if (sbdf == NOT_ONE) {
			return dt_error(t, idx, PROP, "is no list of "
					"functions; write \"0000:00:03.0\", "
					"\"0000:00:04.0\"", -EINVAL);
		}
		if (is_named(b, (uint32_t)sbdf)) {
			return dt_error(t, idx, PROP, "names a function that "
					"is given already; leave it out",
					-EEXIST);
		}
		if (b->pci.nr == VPCI_FUNCTIONS) {
			return dt_error(t, idx, PROP, "names more than 8 "
					"functions; leave some out", -ENOSPC);
		}
		b->pci.sbdf[b->pci.nr++] = (uint32_t)sbdf;
		pos += NAME_SIZE;
	} while (pos < p->len);
	return 0;
}

/* Its memory or what it shares is where its host bridge is. */
static bool is_in_the_way(const struct boot_domain *b)
{
	for (uint32_t i = 0; i < b->mem.nr_shm; i++) {
		const struct shm_use *u = &b->mem.shm[i];

		if (u->ipa < VPCI_MEM_BASE + VPCI_MEM_SIZE &&
		    VPCI_ITS_BASE < u->ipa + u->host.size) {
			return true;
		}
	}
	return false;
}

/* dom0's kernel would leave all where firmware has put it. */
static bool is_probe_only(struct dt *t)
{
	uint32_t chosen = dt_resolve(t, "/chosen", 7);
	struct dt_prop q;

	return chosen != DT_NONE &&
	       dt_prop_named(t, chosen, "linux,pci-probe-only", &q) &&
	       q.len == 4 && dt_be32(q.data) != 0;
}

static const char *why_not(struct dt *t, const struct platform *p,
			   const struct boot_domain *b)
{
	if (module_find(p, MODULE_KERNEL) && is_probe_only(t)) {
		return "does not go with \"linux,pci-probe-only\" in /chosen: "
		       "dom0 must place its own functions; leave one out";
	}
	if (p->gic.version != 3 || !p->its.node) {
		return "needs an ITS for the functions' interrupts, and the "
		       "machine has none that is used; leave it out";
	}
	if (b->mem.direct_map) {
		return "does not go with \"direct-map\": the machine's own "
		       "addresses leave no room; leave one out";
	}
	if (fdt_dom_restarts(&b->restart)) {
		return "does not go with \"restart\": a domain with functions "
		       "begins once; leave one out";
	}
	return is_in_the_way(b) ? "puts its host bridge where the domain has "
				  "shared memory; choose an address for that "
				  "from 0x50000000 on" : NULL;
}

int fdt_dom_pci_check(struct dt *t, const struct platform *p,
		      const struct boot_domain *b)
{
	const char *wrong = b->pci.nr != 0 ? why_not(t, p, b) : NULL;

	return wrong ? dt_error(t, b->node, PROP, wrong, -EINVAL) : 0;
}

bool fdt_dom_pci_any(void)
{
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		if (!boot_domains[i].refused && boot_domains[i].pci.nr != 0) {
			return true;
		}
	}
	return false;
}
