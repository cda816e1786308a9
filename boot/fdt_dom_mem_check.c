/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the memory that is set aside lies: apart from everything else in the
 * machine, and apart in the guest; and who owns what is shared.
 *
 * Owns    the list of what is occupied, while it checks.
 * Not     the heap's own memory, which may lie around all but the static one.
 * Rule    earlier nodes go first: who overlaps what is occupied is refused,
 *         with one message. dom0, the first, only loses its shared memory.
 * Bounds  MAX_TAKEN ranges; each range of a domain is compared with all. The
 *         owners: one round for each domain that is refused.
 * Spec    [XEN] docs/misc/arm/device-tree/booting.txt "Static Shared Memory";
 *         the guest's address map in [XEN] arch-arm.h.
 */
#include "fdt_dom_mem.h"

#include <abi/xen.h>
#include <hv/console.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fdt_dom.h"

#define MAX_PARTIES (MAX_BOOT_DOMAINS + 1) /* dom0 is the first */
#define MAX_TAKEN                                                             \
	(2 + MAX_RESERVED + MAX_MODULES + 2 * MAX_BOOT_DOMAINS +              \
	 MAX_STATIC_HEAP + MAX_PARTIES * (MAX_STATIC_BANKS + MAX_SHARED))
#define MAX_PLACES (MAX_STATIC_BANKS + 4 + MAX_SHARED)
#define GICR_PER_CPU UINT64_C(0x20000)

/* A range and what it is: "static memory" of "dom1". */
struct place {
	struct mem_range r;
	const char *what;
	const char *whom; /* "": nobody's */
	const char *id;   /* of a shared region, else NULL */
};

struct places {
	struct place *place;
	uint32_t nr;
};

static struct place occupied_r[MAX_TAKEN];
static struct places occupied = { .place = occupied_r };

/* ---- parties ------------------------------------------------------------- */

static struct boot_mem *mem_of(uint32_t party)
{
	return party == 0 ? &dom0_mem : &boot_domains[party - 1].mem;
}

static const char *name_of(uint32_t party)
{
	return party == 0 ? "dom0" : boot_domains[party - 1].name;
}

static bool is_out(uint32_t party)
{
	return party != 0 && boot_domains[party - 1].refused;
}

static void refuse(uint32_t party)
{
	if (party == 0) {
		log_warn("dom0 is started without shared memory\n");
		dom0_mem.nr_shm = 0;
	} else {
		boot_domains[party - 1].refused = true;
	}
}

/* ---- lists of places ----------------------------------------------------- */

static void add(struct places *s, const struct place *p)
{
	if (p->r.size != 0) {
		s->place[s->nr++] = *p;
	}
}

static const struct place *overlapped(const struct places *s,
				      const struct place *p)
{
	for (uint32_t i = 0; i < s->nr; i++) {
		const struct mem_range *r = &s->place[i].r;

		if (p->r.start - r->start < r->size ||
		    r->start - p->r.start < p->r.size) {
			return &s->place[i];
		}
	}
	return NULL;
}

/* One region, as another domain has it. */
static bool is_same(const struct place *a, const struct place *b)
{
	return a->id && b->id && strcmp(a->id, b->id) == 0 &&
	       a->r.start == b->r.start && a->r.size == b->r.size;
}

static int complain(const struct place *p, const char *space, const char *why,
		    const struct place *other)
{
	log_err("device tree: %s: %s at %s address 0x%llx, 0x%llx bytes: %s%s"
		"%s%s; correct it\n", p->whom, p->what, space,
		(unsigned long long)p->r.start, (unsigned long long)p->r.size,
		why, other ? other->what : "",
		other && other->whom[0] ? " of " : "",
		other ? other->whom : "");
	return -EINVAL;
}

/* ---- in the machine ------------------------------------------------------ */

static void take_fixed(const struct platform *p, const struct mem_range *image,
		       const struct mem_range *dtb)
{
	occupied.nr = 0;
	add(&occupied, &(struct place){ *image, "the hypervisor", "", NULL });
	add(&occupied, &(struct place){ *dtb, "the device tree", "", NULL });
	for (uint32_t i = 0; i < p->nr_reserved; i++) {
		add(&occupied, &(struct place){ p->reserved[i],
						"reserved memory", "", NULL });
	}
	for (uint32_t i = 0; i < p->nr_modules; i++) {
		const struct mem_range r = { p->module[i].start,
					     p->module[i].size };

		add(&occupied, &(struct place){ r, "a boot module", "", NULL });
	}
	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		const struct boot_domain *b = &boot_domains[i];

		add(&occupied, &(struct place){ b->kernel, "the kernel",
						b->name, NULL });
		add(&occupied, &(struct place){ b->ramdisk, "the ramdisk",
						b->name, NULL });
		add(&occupied, &(struct place){ b->dtb, "the devices' tree",
						b->name, NULL });
	}
	for (uint32_t i = 0; i < nr_boot_heap; i++) {
		add(&occupied, &(struct place){ boot_heap[i],
						"the static heap", "", NULL });
	}
}

static int take(const struct platform *p, const struct place *n)
{
	const struct place *other = overlapped(&occupied, n);
	uint32_t i = 0;

	while (i < p->nr_banks &&
	       (n->r.start < p->bank[i].start ||
		n->r.start + n->r.size > p->bank[i].start + p->bank[i].size)) {
		i++;
	}
	if (i == p->nr_banks) {
		return complain(n, "host", "is not inside one bank of memory",
				NULL);
	}
	if (other && is_same(n, other)) {
		return 0; /* apart from all others, as that one was */
	}
	if (other) {
		return complain(n, "host", "overlaps ", other);
	}
	add(&occupied, n);
	return 0;
}

/* The same region is elsewhere for an earlier domain. */
static int check_known(const struct place *n)
{
	for (uint32_t i = 0; i < occupied.nr; i++) {
		const struct place *other = &occupied.place[i];

		if (other->id && strcmp(other->id, n->id) == 0 &&
		    !is_same(n, other)) {
			return complain(n, "host", "is not the same as ",
					other);
		}
	}
	return 0;
}

static int take_all(const struct platform *p, uint32_t party)
{
	const struct boot_mem *m = mem_of(party);
	const char *name = name_of(party);
	uint32_t before = occupied.nr;
	int rc = 0;

	for (uint32_t i = 0; i < m->nr_banks && rc == 0; i++) {
		rc = take(p, &(struct place){ m->bank[i], "static memory",
					      name, NULL });
	}
	for (uint32_t i = 0; i < m->nr_shm && rc == 0; i++) {
		const struct place n = { m->shm[i].host, "shared memory",
					 name, m->shm[i].id };

		rc = check_known(&n);
		if (rc == 0) {
			rc = take(p, &n);
		}
	}
	if (rc) {
		occupied.nr = before; /* nothing of it is in anybody's way */
	}
	return rc;
}

/* ---- in the guest -------------------------------------------------------- */

static int put(struct places *s, const struct place *n)
{
	const struct place *other = n->r.size ? overlapped(s, n) : NULL;

	if (other) {
		return complain(n, "guest", "overlaps ", other);
	}
	add(s, n);
	return 0;
}

/* Its RAM; at most what both banks of the address map hold. */
static int put_ram(struct places *s, const struct boot_domain *b)
{
	struct place n = { .what = "memory", .whom = b->name };
	uint64_t size = b->mem_kib * 1024;
	uint64_t low = size < GUEST_RAM0_SIZE ? size : GUEST_RAM0_SIZE;
	int rc = 0;

	if (!b->mem.direct_map) {
		n.r = (struct mem_range){ GUEST_RAM0_BASE, low };
		add(s, &n);
		n.r = (struct mem_range){ GUEST_RAM1_BASE, size - low };
		add(s, &n);
		return 0;
	}
	for (uint32_t i = 0; i < b->mem.nr_banks && rc == 0; i++) {
		n.r = b->mem.bank[i];
		rc = put(s, &n);
	}
	return rc;
}

/* The registers that a direct-mapped domain finds where the machine's are. */
static int put_host_devices(struct places *s, const struct platform *p,
			    const struct boot_domain *b)
{
	bool v3 = p->gic.version == 3;
	const struct place n[] = {
		{ { p->gic.gicd_base, p->gic.gicd_size },
		  "the interrupt controller", b->name, NULL },
		{ { v3 ? p->gic.gicr[0].start : p->gic.gicc_base,
		    v3 ? b->nr_vcpus * GICR_PER_CPU : p->gic.gicc_size },
		  "the CPUs' part of the interrupt controller", b->name,
		  NULL },
		{ { p->uart.base, b->vpl011 ? GUEST_PL011_SIZE : 0 },
		  "the UART", b->name, NULL },
	};
	int rc = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(n) && rc == 0; i++) {
		rc = put(s, &n[i]);
	}
	return rc;
}

/* All below GUEST_RAM0_BASE: apart from each other by the address map. */
static int put_guest_devices(struct places *s, const struct platform *p,
			     const struct boot_domain *b)
{
	bool v3 = p->gic.version == 3;
	const struct place n[] = {
		{ { v3 ? GUEST_GICV3_GICD_BASE : GUEST_GICD_BASE,
		    v3 ? GUEST_GICV3_GICD_SIZE : GUEST_GICD_SIZE },
		  "the interrupt controller", b->name, NULL },
		{ { v3 ? GUEST_GICV3_GICR0_BASE : GUEST_GICC_BASE,
		    v3 ? GUEST_GICV3_GICR0_SIZE : GUEST_GICC_SIZE },
		  "the CPUs' part of the interrupt controller", b->name,
		  NULL },
		{ { GUEST_PL011_BASE, b->vpl011 ? GUEST_PL011_SIZE : 0 },
		  "the UART", b->name, NULL },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(n); i++) {
		add(s, &n[i]);
	}
	return 0;
}

static int check_guest(const struct platform *p, const struct boot_domain *b)
{
	struct place place[MAX_PLACES];
	struct places s = { .place = place };
	const struct place grants = {
		{ GUEST_GNTTAB_BASE, b->enhanced ? GUEST_GNTTAB_SIZE : 0 },
		"the grant table", b->name, NULL,
	};
	int rc = put_ram(&s, b);

	if (rc == 0) {
		rc = b->mem.direct_map ? put_host_devices(&s, p, b) :
					 put_guest_devices(&s, p, b);
	}
	if (rc == 0) {
		rc = put(&s, &grants);
	}
	for (uint32_t i = 0; i < b->mem.nr_shm && rc == 0; i++) {
		const struct shm_use *u = &b->mem.shm[i];

		rc = put(&s, &(struct place){ { u->ipa, u->host.size },
					      "shared memory", b->name,
					      NULL });
	}
	return rc;
}

/* What direct-map and static memory ask of the rest of the node. */
static int check_node(const struct platform *p, const struct boot_domain *b)
{
	uint64_t sum = 0;
	const char *problem = NULL;

	for (uint32_t i = 0; i < b->mem.nr_banks; i++) {
		sum += b->mem.bank[i].size;
	}
	if (b->mem.nr_banks && sum != b->mem_kib * 1024) {
		problem = "\"memory\" is not the sum of \"xen,static-mem\"; "
			  "make it that";
	} else if (b->mem.direct_map && b->vpl011 &&
		   (p->uart.intid < 32 ||
		    p->uart.intid - 32 >= b->nr_spis)) {
		problem = "direct-map has vpl011 where the machine's console "
			  "is, which has no interrupt, or one beyond nr_spis; "
			  "leave vpl011 out or nr_spis";
	} else if (b->mem.direct_map && p->gic.version == 3 &&
		   b->nr_vcpus * GICR_PER_CPU > p->gic.gicr[0].size) {
		problem = "direct-map gives no more vCPUs than the machine's "
			  "interrupt controller has room for; make \"cpus\" "
			  "smaller";
	}
	if (problem) {
		log_err("device tree: /chosen/%s: %s\n", b->name, problem);
	}
	return problem ? -EINVAL : 0;
}

/* ---- who owns it --------------------------------------------------------- */

/* How many others, up to @end, have @id in @role. */
static uint32_t others(uint32_t party, const char *id, enum shm_role role,
		       uint32_t end)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < end; k++) {
		const struct boot_mem *m = mem_of(k);

		for (uint32_t i = 0; i < m->nr_shm && !is_out(k); i++) {
			nr += k != party && m->shm[i].role == role &&
			      strcmp(m->shm[i].id, id) == 0;
		}
	}
	return nr;
}

static const char *role_problem(uint32_t party, const struct shm_use *u)
{
	uint32_t end = nr_boot_domains + 1;
	uint32_t owners = others(party, u->id, SHM_OWNER, end);

	if (u->role == SHM_OWNER) {
		return others(party, u->id, SHM_OWNER, party) ?
			       "has an owner already" : NULL;
	}
	if (u->role == SHM_NO_ROLE) {
		return owners ? "has an owner: write role = \"borrower\"" :
				NULL;
	}
	return owners || others(party, u->id, SHM_NO_ROLE, end) ?
		       NULL : "has no owner that could be started";
}

static int check_roles(uint32_t party)
{
	const struct boot_mem *m = mem_of(party);

	for (uint32_t i = 0; i < m->nr_shm; i++) {
		const char *problem = role_problem(party, &m->shm[i]);

		if (problem) {
			log_err("device tree: %s: shared memory \"%s\" %s; "
				"correct it\n", name_of(party), m->shm[i].id,
				problem);
			return -EINVAL;
		}
	}
	return 0;
}

/* The end of an owner ends its borrowers, which may own something too. */
static void check_all_roles(void)
{
	bool again = true;

	while (again) { /* bound: MAX_PARTIES, one goes each time */
		again = false;
		for (uint32_t k = 0; k <= nr_boot_domains; k++) {
			if (!is_out(k) && check_roles(k)) {
				refuse(k);
				again = true;
			}
		}
	}
}

/* Most trees leave all memory to the heap. */
static bool is_anything_said(void)
{
	bool any = dom0_mem.nr_shm != 0;

	for (uint32_t i = 0; i < nr_boot_domains; i++) {
		any |= boot_domains[i].mem.said ||
		       boot_domains[i].mem.nr_shm != 0;
	}
	return any;
}

void fdt_dom_mem_check(const struct platform *p, const struct mem_range *image,
		       const struct mem_range *dtb)
{
	if (!is_anything_said()) {
		return;
	}
	take_fixed(p, image, dtb);
	for (uint32_t k = 0; k <= nr_boot_domains; k++) {
		const struct boot_domain *b = &boot_domains[k ? k - 1 : 0];
		int rc = 0;

		if (is_out(k)) {
			continue;
		}
		if (k != 0) {
			rc = check_node(p, b);
		}
		if (rc == 0 && k != 0) {
			rc = check_guest(p, b);
		}
		if (rc == 0) {
			rc = take_all(p, k);
		}
		if (rc) {
			refuse(k);
		}
	}
	check_all_roles();
}
