/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual ITS: the commands of a guest. Each is copied once, checked, done to
 * our own state, and passed on to the physical ITS where devices are concerned.
 * A command that makes no sense is skipped.
 *
 * Devices a guest's DeviceID is the place that virtual PCI gives its function,
 *         dom0's the machine's own; id_of() tells. The physical ITS gets event
 *         tables of ours.
 * Races   a function may be taken away while a guest's commands run: who does
 *         it changes the answers that id_of() gets, then waits for its_lock in
 *         arch_msi_forget(). So what an old answer mapped is found there, and
 *         who has the lock afterwards gets the new one.
 * LPIs    a domain has VGIC_NR_LPIS and as many physical ones; the n-th of the
 *         one are the n-th of the other. One event raises one LPI.
 * Masks   an LPI's enable bit is the physical one's too; its priority is not.
 * Locks   its_lock is held; the domain's vGIC lock is taken here.
 * Bounds  VITS_STEP commands at a time; one that looks at all LPIs or events of
 *         a device is a step's last. MAPD ends VITS_FORGET LPIs, then goes on.
 * Spec    [GIC] "ITS commands".
 */
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <hv/arch.h>
#include <hv/console.h>
#include <hv/heap.h>
#include <hv/page_alloc.h>
#include <hv/pci.h>
#include <hv/vpci.h>
#include "vgic_its.h"

#define VITS_STEP 8u
#define VITS_FORGET 128u /* LPIs of a device that ends */
#define CMD_SIZE 32u
#define CBASER_VALID BIT64(63)
#define CBASER_PA FIELD64(51, 12)
#define CBASER_PAGES FIELD64(7, 0)
#define PROPBASER_PA FIELD64(51, 12)
#define LPI_ENABLED 1u
#define LPI_PRIORITY 0xfcu
#define NO_LPI UINT32_MAX

enum {
	CMD_MOVI = 0x01,
	CMD_INT = 0x03,
	CMD_CLEAR = 0x04,
	CMD_SYNC = 0x05,
	CMD_MAPD = 0x08,
	CMD_MAPC = 0x09,
	CMD_MAPTI = 0x0a,
	CMD_MAPI = 0x0b,
	CMD_INV = 0x0c,
	CMD_INVALL = 0x0d,
	CMD_MOVALL = 0x0e,
	CMD_DISCARD = 0x0f,
};

struct cmd {
	uint64_t w[4];
};

static uint32_t cmd_device(const struct cmd *c)
{
	return (uint32_t)(c->w[0] >> 32);
}

static uint32_t cmd_event(const struct cmd *c)
{
	return (uint32_t)c->w[1];
}

static uint16_t cmd_collection(const struct cmd *c)
{
	return (uint16_t)c->w[2];
}

static bool cmd_is_valid(const struct cmd *c)
{
	return c->w[2] >> 63;
}

/* A redistributor, by its processor number. */
static uint64_t cmd_target(uint64_t w)
{
	return field_get(FIELD64(50, 16), w);
}

/* The machine goes on without the ITS; its devices do not. */
static void check_its(int rc)
{
	if (rc) {
		log_err("ITS: does not answer; no more messages of devices\n");
	}
}

/* ---- guest memory -------------------------------------------------------- */

/* The page of @d at @addr, to read; NULL: none. Back with page_put(). */
static const volatile void *pin(struct domain *d, uint64_t addr,
				struct page **pg)
{
	struct p2m_entry e;

	*pg = p2m_get_page(d, ipa_to_gfn(ipa(addr)), &e);
	if (!*pg) {
		return NULL;
	}
	return (const char *)hv_va(mfn_to_paddr(page_mfn(*pg))) +
	       (addr & ~PAGE_MASK);
}

static bool copy_cmd(const struct vits *s, struct cmd *c)
{
	struct page *pg;
	const volatile uint64_t *p =
		pin(s->d, (s->cbaser & CBASER_PA) + s->creadr, &pg);

	if (!p) {
		return false;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(c->w); i++) {
		c->w[i] = p[i];
	}
	page_put(pg);
	return true;
}

/* ---- one LPI ------------------------------------------------------------- */

static struct vits_dev *find_device(const struct vits *s, uint32_t id)
{
	struct vits_dev *dev = s->dev[id % VITS_BUCKETS];

	while (dev && dev->guest_id != id) { /* bound: VITS_MAX_DEVICES */
		dev = dev->next;
	}
	return dev;
}

/* Place of what @c is about, or NO_LPI. */
static uint32_t find_lpi(const struct vits *s, const struct cmd *c)
{
	const struct vits_dev *dev = find_device(s, cmd_device(c));
	uint32_t event = cmd_event(c);

	if (!dev || event >= dev->nr_events) {
		return NO_LPI;
	}
	return dev->lpi[array_index_nospec(event, dev->nr_events)] - 1u;
}

/* NULL: nowhere. */
static struct vcpu *vcpu_of(const struct vits *s, uint16_t collection)
{
	uint64_t i = array_index_nospec(collection, ARRAY_SIZE(s->collection));

	return vgic_vcpu_of(s->d, s->collection[i]);
}

static void set_target(struct vits *s, uint32_t n)
{
	const struct vcpu *v = vcpu_of(s, s->map[n].collection);
	struct vgic_op op;

	vgic_op_begin(&op, s->d);
	virq_set_target(&op, &s->lpi[n], v ? (uint16_t)v->id : VGIC_NO_VCPU);
	vgic_op_end(&op);
}

static void set_config(struct vits *s, uint32_t n, uint8_t config)
{
	struct vgic_op op;

	vgic_op_begin(&op, s->d);
	virq_set_priority(&op, &s->lpi[n], config & LPI_PRIORITY);
	virq_set_enable(&op, &s->lpi[n], config & LPI_ENABLED);
	vgic_op_end(&op);
	its_set_enable(s->first_lpi + n, config & LPI_ENABLED);
}

/* All LPIs' bytes are in one page; without it they are disabled. */
static void read_config(struct vits *s, uint32_t n)
{
	struct page *pg;
	const volatile uint8_t *p =
		pin(s->d, s->propbaser & PROPBASER_PA, &pg);

	set_config(s, n, p ? p[n] : 0);
	if (p) {
		page_put(pg);
	}
}

static void clear_lpi(struct vits *s, uint32_t n)
{
	struct vgic_op op;

	vgic_op_begin(&op, s->d);
	virq_clear_pending(&op, &s->lpi[n]);
	vgic_op_end(&op);
}

/* As never mapped; the physical ITS is told by the caller. */
static void forget(struct vits *s, uint32_t n)
{
	struct vits_event *e = &s->map[n];

	e->dev->lpi[e->event] = 0;
	e->dev = NULL;
	set_config(s, n, 0);
	clear_lpi(s, n);
}

/* CPU to which the physical LPI of @n goes best. */
static uint16_t cpu_of(const struct vits *s, uint32_t n)
{
	const struct vcpu *v = vcpu_of(s, s->map[n].collection);

	return v ? v->cpu : this_cpu();
}

static void pass_on(const struct vits *s, enum its_event_op op, uint32_t n)
{
	check_its(its_event(op, s->map[n].dev->id, s->map[n].event,
			    cpu_of(s, n)));
}

/* ---- devices ------------------------------------------------------------- */

/* *@id: the machine's, of what the guest calls @guest_id; false: not its. */
static bool id_of(const struct vits *s, uint32_t guest_id, uint32_t *id)
{
	*id = guest_id;
	if (s->d->is_hardware ? pci_is_given(guest_id) :
				!vpci_device_id(s->d, guest_id, id)) {
		return false;
	}
	return its_has_device(*id);
}

/* What points to the machine's device @id; NULL: not mapped. */
static struct vits_dev **link_of(struct vits *s, uint32_t id)
{
	for (uint32_t i = 0; i < VITS_BUCKETS; i++) {
		struct vits_dev **link = &s->dev[i];

		for (; *link; link = &(*link)->next) { /* as above */
			if ((*link)->id == id) {
				return link;
			}
		}
	}
	return NULL;
}

/*
 * By whomever: two tables for one device would be one too many for the ITS.
 * A device's next owner has it only after arch_msi_forget().
 */
static bool is_mapped(uint32_t id)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(vits_of_block); i++) {
		if (vits_of_block[i] && link_of(vits_of_block[i], id)) {
			return true;
		}
	}
	return false;
}

/* The ITS has it no more; end_step() does the rest. None is ending yet. */
static void unmap_device(struct vits *s, struct vits_dev **link)
{
	struct vits_dev *dev = *link;
	int rc = its_unmap_device(dev->id, dev->lpi, dev->nr_events);

	*link = dev->next;
	s->ending = dev;
	check_its(rc);
	if (rc == 0) { /* else the ITS may write to it still */
		heap_free(s->d, dev->itt);
	}
}

/* Forgets some LPIs of the device that ends; true: it has more. */
static bool end_step(struct vits *s)
{
	struct vits_dev *dev = s->ending;
	uint32_t left = VITS_FORGET;

	while (dev && dev->nr_events && left) { /* bound: a device's events */
		s->nr_events--;
		if (dev->lpi[--dev->nr_events]) {
			forget(s, dev->lpi[dev->nr_events] - 1u);
			left--;
		}
	}
	if (dev && !dev->nr_events) {
		s->nr_devices--;
		s->ending = NULL;
		heap_free(s->d, dev);
	}
	return s->ending != NULL;
}

bool vits_drop_some(struct vits *s)
{
	if (s->ending) {
		end_step(s);
		return true;
	}
	for (uint32_t i = 0; i < VITS_BUCKETS; i++) {
		if (s->dev[i]) {
			unmap_device(s, &s->dev[i]);
			end_step(s);
			return true;
		}
	}
	return false;
}

void vits_drop_device(struct vits *s, uint32_t id)
{
	struct vits_dev **link = link_of(s, id);

	if (link) {
		while (end_step(s)) { /* bound: one device's LPIs */
		}
		unmap_device(s, link);
		end_step(s); /* the rest: before the next command */
	}
}

/* Second level of the table of devices: for whoever has one of them. */
static bool make_room(uint32_t id)
{
	struct its_mem page;
	unsigned int order = ffs64(its_page_size() >> PAGE_SHIFT);

	if (!its_needs_page(id)) {
		return true;
	}
	page.va = hv_alloc_pages(NULL, order);
	if (!page.va) {
		return false;
	}
	page.pa = hv_pa(page.va).v;
	its_give_page(id, &page);
	return true;
}

static struct vits_dev *new_device(struct vits *s, uint32_t nr)
{
	struct vits_dev *dev = heap_alloc(
		s->d, sizeof(*dev) + nr * sizeof(dev->lpi[0]));
	size_t size = nr * its_itt_entry() + 2 * ITS_ITT_ALIGN; /* own lines */

	if (!dev) {
		return NULL;
	}
	dev->nr_events = nr;
	dev->itt = heap_alloc(s->d, size);
	if (!dev->itt) {
		heap_free(s->d, dev);
		return NULL;
	}
	arch_clean_dcache(dev->itt, size);
	return dev;
}

static void do_mapd(struct vits *s, const struct cmd *c)
{
	uint32_t guest_id = cmd_device(c), id;
	unsigned int bits = (unsigned int)(c->w[1] & 0x1f) + 1;
	struct vits_dev **head = &s->dev[guest_id % VITS_BUCKETS];
	struct vits_dev **link = head, *dev;

	while (*link && (*link)->guest_id != guest_id) { /* bound: as above */
		link = &(*link)->next;
	}
	if (*link) {
		unmap_device(s, link);
	}
	if (end_step(s)) {
		return; /* to come again */
	}
	if (!cmd_is_valid(c) || bits > VITS_EVENT_BITS ||
	    !id_of(s, guest_id, &id) || is_mapped(id) ||
	    s->nr_devices == VITS_MAX_DEVICES ||
	    s->nr_events + BIT32(bits) > VITS_MAX_EVENTS || !make_room(id)) {
		return;
	}
	dev = new_device(s, BIT32(bits));
	if (!dev) {
		return;
	}
	dev->id = id;
	dev->guest_id = guest_id;
	dev->next = *head;
	*head = dev;
	s->nr_devices++;
	s->nr_events += dev->nr_events;
	check_its(its_map_device(
		id, align_up(hv_pa(dev->itt).v, ITS_ITT_ALIGN), bits));
}

/* ---- events -------------------------------------------------------------- */

static void do_map_event(struct vits *s, const struct cmd *c, uint32_t lpi)
{
	struct vits_dev *dev = find_device(s, cmd_device(c));
	uint32_t event = cmd_event(c);
	uint32_t n = lpi - LPI_FIRST;
	uint16_t collection = cmd_collection(c);

	if (!dev || event >= dev->nr_events || n >= VGIC_NR_LPIS ||
	    collection >= vits_nr_collections(s)) {
		return;
	}
	event = (uint32_t)array_index_nospec(event, dev->nr_events);
	n = (uint32_t)array_index_nospec(n, VGIC_NR_LPIS);
	if (dev->lpi[event] != n + 1) {
		if (s->map[n].dev) {
			return; /* another event raises it */
		}
		if (dev->lpi[event]) {
			forget(s, dev->lpi[event] - 1u);
		}
		clear_lpi(s, n);
	}
	dev->lpi[event] = (uint16_t)(n + 1);
	s->map[n] = (struct vits_event){ dev, (uint16_t)event, collection };
	set_target(s, n);
	read_config(s, n);
	check_its(its_map_event(dev->id, event, s->first_lpi + n,
				cpu_of(s, n)));
}

static void do_movi(struct vits *s, uint32_t n, uint16_t collection)
{
	if (collection >= vits_nr_collections(s)) {
		return;
	}
	s->map[n].collection = collection;
	set_target(s, n);
	check_its(its_move_event(s->map[n].dev->id, s->map[n].event,
				 cpu_of(s, n)));
}

static void do_discard(struct vits *s, uint32_t n)
{
	pass_on(s, ITS_DISCARD, n);
	forget(s, n);
}

/* ---- all at once --------------------------------------------------------- */

/* Physical LPIs stay where they are: they find their vCPU from there, too. */
static void do_mapc(struct vits *s, const struct cmd *c)
{
	uint16_t collection = cmd_collection(c);
	uint64_t target = cmd_target(c->w[2]);

	if (collection >= vits_nr_collections(s) ||
	    (cmd_is_valid(c) && target >= s->d->max_vcpus)) {
		return;
	}
	s->collection[array_index_nospec(collection,
					 ARRAY_SIZE(s->collection))] =
		cmd_is_valid(c) ? (uint16_t)target : VGIC_NO_VCPU;
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		if (s->map[n].dev && s->map[n].collection == collection) {
			set_target(s, n);
		}
	}
}

static void do_movall(struct vits *s, const struct cmd *c)
{
	uint64_t from = cmd_target(c->w[2]);
	uint64_t to = cmd_target(c->w[3]);
	struct vgic_op op;

	if (from >= s->d->max_vcpus || to >= s->d->max_vcpus) {
		return;
	}
	vgic_op_begin(&op, s->d);
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		if (s->map[n].dev && s->lpi[n].target == from) {
			virq_set_target(&op, &s->lpi[n], (uint16_t)to);
		}
	}
	vgic_op_end(&op);
}

static void do_invall(struct vits *s, uint16_t collection)
{
	struct page *pg;
	const volatile uint8_t *p;

	if (collection >= vits_nr_collections(s)) {
		return;
	}
	p = pin(s->d, s->propbaser & PROPBASER_PA, &pg);
	for (uint32_t n = 0; n < VGIC_NR_LPIS; n++) {
		if (s->map[n].dev && s->map[n].collection == collection) {
			set_config(s, n, p ? p[n] : 0);
		}
	}
	if (p) {
		page_put(pg);
	}
	check_its(its_inv_all());
}

/* ---- the queue ----------------------------------------------------------- */

/* Those about one LPI, which is mapped. */
static void do_one(struct vits *s, const struct cmd *c)
{
	uint32_t n = find_lpi(s, c);

	if (n == NO_LPI) {
		return;
	}
	switch (c->w[0] & 0xff) {
	case CMD_MOVI:
		do_movi(s, n, cmd_collection(c));
		break;
	case CMD_DISCARD:
		do_discard(s, n);
		break;
	case CMD_INT:
		pass_on(s, ITS_INT, n);
		break;
	case CMD_CLEAR:
		clear_lpi(s, n);
		pass_on(s, ITS_CLEAR, n);
		break;
	case CMD_INV:
		read_config(s, n);
		pass_on(s, ITS_INV, n);
		break;
	default: /* SYNC: all is done; or none that we know */
		break;
	}
}

/* True: that was much work. */
static bool execute(struct vits *s, const struct cmd *c)
{
	switch (c->w[0] & 0xff) {
	case CMD_MAPD:
		do_mapd(s, c);
		return true;
	case CMD_MAPC:
		do_mapc(s, c);
		return true;
	case CMD_MOVALL:
		do_movall(s, c);
		return true;
	case CMD_INVALL:
		do_invall(s, cmd_collection(c));
		return true;
	case CMD_MAPTI:
		do_map_event(s, c, (uint32_t)(c->w[1] >> 32));
		return false;
	case CMD_MAPI:
		do_map_event(s, c, cmd_event(c));
		return false;
	default:
		do_one(s, c);
		return false;
	}
}

static bool has_commands(const struct vits *s)
{
	uint64_t size = ((s->cbaser & CBASER_PAGES) + 1) << PAGE_SHIFT;

	return s->enabled && (s->cbaser & CBASER_VALID) &&
	       s->cwriter < size && s->creadr != s->cwriter;
}

bool vits_run_queue(struct vits *s)
{
	uint64_t size = ((s->cbaser & CBASER_PAGES) + 1) << PAGE_SHIFT;
	bool much = false;
	struct cmd c;

	for (uint32_t i = 0; i < VITS_STEP && !much && !end_step(s) &&
			     has_commands(s); i++) {
		much = copy_cmd(s, &c) && execute(s, &c);
		if (!s->ending) { /* else MAPD once more */
			s->creadr = (s->creadr + CMD_SIZE) % size;
		}
	}
	return s->ending || has_commands(s);
}
