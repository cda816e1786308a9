/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains: made whole, published last; found by id with a reference; stopped.
 *
 * Owns    the table of domains, their references and life states.
 * Not     what is inside: each part has its module and its undo.
 * Locks   domain_list_lock (rank DOMAIN_LIST) for the table; references are
 *         atomic; after the last one domain_destroy.c frees, in steps.
 * Bounds  look-up is an array access; a walk visits MAX_DOMAINS entries.
 */
#include <hv/domain.h>
#include <hv/arch.h>
#include <hv/audit.h>
#include <hv/console.h>
#include <hv/cpupool.h>
#include <hv/dom_config.h>
#include <hv/heap.h>
#include <hv/hypercall.h>
#include <hv/page_alloc.h>
#include <hv/platform.h>
#include <hv/restart.h>
#include <hv/work.h>
#include <lib/bits.h>
#include <lib/check.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>

#define REF_TRIES 4096u
#define NEWS_FOR_CONTROLLER 1u
#define NEWS_OF_CRASH	    2u /* of some domain: crash_why */

struct spinlock domain_list_lock = SPINLOCK_INIT(DOMAIN_LIST);
struct spinlock control_lock = SPINLOCK_INIT(CONTROL);
struct domain *hardware_domain;

static struct domain *domains[MAX_DOMAINS]; /* by id modulo its size */
static uint32_t nr_domains;                 /* in it */
static domid_t last_id;                     /* given out; control_lock */
static uint8_t news;                        /* NEWS_*; atomic */

static uint32_t features_of(const struct dom_config *cfg)
{
	uint32_t f = BIT32(XENFEAT_writable_page_tables) |
		     BIT32(XENFEAT_auto_translated_physmap) |
		     BIT32(XENFEAT_memory_op_vnode_supported);

	if (cfg->is_hardware) {
		f |= BIT32(XENFEAT_dom0);
	}
	return f | (cfg->direct_mapped ? BIT32(XENFEAT_direct_mapped) :
					 BIT32(XENFEAT_not_direct_mapped));
}

static void describe(struct domain *d, const struct dom_config *cfg)
{
	d->id = cfg->domid;
	d->refs = 1;
	d->state = DOM_BUILDING;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	d->is_control = cfg->is_control;
	d->is_hardware = cfg->is_hardware;
	d->direct_mapped = cfg->direct_mapped;
	d->iommu.enabled = cfg->iommu;
	d->max_vcpus = cfg->nr_vcpus;
	d->max_pages = cfg->mem_max_bytes == UINT64_MAX ?
			       UINT64_MAX :
			       cfg->mem_max_bytes >> PAGE_SHIFT;
	d->features = features_of(cfg);
	memcpy(d->name, cfg->name, sizeof(d->name) - 1);
	spin_lock_init(&d->lock, LOCK_RANK_DOMAIN);
	domain_watchdog_init(d);
}

/* ... and has room for its vCPUs. */
static int enter_pool(struct domain *d, const struct dom_config *cfg)
{
	int rc = cpupool_enter(d, cfg->pool_id);

	if (rc) {
		return rc;
	}
	d->vcpu = heap_alloc(d, cfg->nr_vcpus * sizeof(*d->vcpu));
	if (!d->vcpu) {
		cpupool_leave(d);
		return -ENOMEM;
	}
	return 0;
}

/* A frame of ours that the domain may map. */
static int make_shared_info(struct domain *d)
{
	d->shared_info = hv_alloc_pages(d, 0);
	if (!d->shared_info) {
		return -ENOMEM;
	}
	d->shared_info_page = page_of(paddr_to_mfn(hv_pa(d->shared_info)));
	return 0;
}

static int make_grants_and_console(struct domain *d,
				   const struct dom_config *cfg)
{
	int rc = gnttab_init(d, cfg->max_grant_frames,
			     cfg->max_maptrack_frames);

	if (rc == 0 && cfg->has_console) {
		rc = guest_console_init(d);
		if (rc) {
			gnttab_fini(d);
		}
	}
	return rc;
}

static bool is_possible(const struct dom_config *cfg)
{
	return cfg->domid < DOMID_FIRST_RESERVED && cfg->nr_vcpus != 0 &&
	       cfg->nr_vcpus <= MAX_VCPUS_PER_DOMAIN;
}

int domain_create(const struct dom_config *cfg, struct domain **out)
{
	struct domain *d;
	int rc;

	if (!is_possible(cfg)) {
		return -EINVAL;
	}
	d = heap_alloc(NULL, sizeof(*d));
	if (!d) {
		return -ENOMEM;
	}
	describe(d, cfg);
	rc = enter_pool(d, cfg);
	if (rc) {
		goto out_domain;
	}
	rc = p2m_init(d);
	if (rc) {
		goto out_vcpu;
	}
	/* dom0's tables may take what they need; others get a pool. */
	d->p2m.pool_pages = cfg->is_hardware ? UINT64_MAX : P2M_POOL_DEFAULT;
	rc = make_shared_info(d);
	if (rc) {
		goto out_p2m;
	}
	rc = evtchn_init(d, cfg->max_evtchn_port);
	if (rc) {
		goto out_shared_info;
	}
	rc = make_grants_and_console(d, cfg);
	if (rc) {
		goto out_evtchn;
	}
	rc = arch_domain_init(d, cfg);
	if (rc) {
		goto out_grants;
	}
	*out = d;
	return 0;

out_grants:
	guest_console_fini(d);
	gnttab_fini(d);
out_evtchn:
	evtchn_fini(d);
out_shared_info:
	hv_free_pages(d, d->shared_info, 0);
out_p2m:
	while (p2m_fini_step(d) == -EAGAIN) {
		/* bound: the tables of an empty address space */
	}
out_vcpu:
	heap_free(d, d->vcpu);
	cpupool_leave(d);
out_domain:
	heap_free(NULL, d);
	return rc;
}

/* ---- the table ----------------------------------------------------------- */

static struct domain **slot_of(domid_t id)
{
	return &domains[array_index_nospec(id % MAX_DOMAINS, MAX_DOMAINS)];
}

bool domain_id_is_free(domid_t id)
{
	return __atomic_load_n(slot_of(id), __ATOMIC_RELAXED) == NULL;
}

domid_t domain_new_id(void)
{
	/* Twice: the round that meets the end leaves some places out. */
	for (uint32_t i = 0; i < 2 * MAX_DOMAINS; i++) {
		last_id = last_id + 1u < DOMID_FIRST_RESERVED ?
				  (domid_t)(last_id + 1) : 1;
		if (domain_id_is_free(last_id)) {
			return last_id;
		}
	}
	return 0;
}

void domain_publish(struct domain *d)
{
	spin_lock(&domain_list_lock);
	ASSERT(domain_id_is_free(d->id));
	__atomic_store_n(slot_of(d->id), d, __ATOMIC_RELEASE);
	nr_domains++;
	if (d->is_hardware) {
		hardware_domain = d;
	}
	spin_unlock(&domain_list_lock);
	audit_domains_changed();
}

/* Nobody has a reference: it is in the table, or was never published. */
void domain_unpublish(struct domain *d)
{
	bool was_there;

	cpupool_leave(d);
	spin_lock(&domain_list_lock);
	was_there = *slot_of(d->id) == d;
	if (was_there) {
		__atomic_store_n(slot_of(d->id), NULL, __ATOMIC_RELEASE);
		nr_domains--;
	}
	spin_unlock(&domain_list_lock);
	if (was_there) {
		audit_domains_changed();
		domain_tell_controller();
	}
}

void domain_get(struct domain *d)
{
	(void)__atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
}

void domain_put(struct domain *d)
{
	if (__atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL) == 1) {
		domain_bury(d);
	}
}

/* @d, found in the table, unless its last reference is gone already. */
static struct domain *get_found_locked(struct domain *d)
	REQUIRES(domain_list_lock)
{
	uint32_t refs = d ? __atomic_load_n(&d->refs, __ATOMIC_RELAXED) : 0;

	for (uint32_t i = 0; i < REF_TRIES && refs != 0; i++) {
		if (__atomic_compare_exchange_n(&d->refs, &refs, refs + 1,
						true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			return d;
		}
	}
	return NULL;
}

struct domain *domain_lookup_get(domid_t id)
{
	struct domain *d;

	spin_lock(&domain_list_lock);
	d = *slot_of(id);
	d = get_found_locked(d && d->id == id ? d : NULL);
	spin_unlock(&domain_list_lock);
	return d;
}

struct domain *domain_get_for(struct vcpu *v, domid_t id)
{
	if (id == DOMID_SELF || id == v->domain->id) {
		domain_get(v->domain);
		return v->domain;
	}
	return domain_lookup_get(id);
}

static struct domain *next_locked(domid_t id) REQUIRES(domain_list_lock)
{
	struct domain *best = NULL;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < MAX_DOMAINS && seen < nr_domains; i++) {
		struct domain *d = domains[i];

		seen += d != NULL;
		if (d && d->id >= id && (!best || d->id < best->id)) {
			best = d;
		}
	}
	return best;
}

struct domain *domain_next_get(domid_t id)
{
	struct domain *d;

	spin_lock(&domain_list_lock);
	d = next_locked(id);
	while (d && !get_found_locked(d)) { /* on its way out; ids rise */
		d = next_locked((domid_t)(d->id + 1));
	}
	spin_unlock(&domain_list_lock);
	return d;
}

void domain_start(struct domain *d)
{
	d->state = DOM_RUNNING;
	if (d->restart) {
		restart_begin(d);
	}
	vcpu_online(d->vcpu[0]);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		vcpu_pause(v);
	}
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		vcpu_unpause(v);
	}
}

bool domain_is_descheduled(const struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		if (!vcpu_is_descheduled(v)) {
			return false;
		}
	}
	return true;
}

/* ---- the end ----------------------------------------------------------- */

__noreturn void domain_fails_machine(void)
{
	if (options.noreboot) {
		log_err("noreboot: the machine stops here; restart it by "
			"hand\n");
		console_flush();
		arch_halt();
	}
	arch_machine_restart();
}

static __noreturn void machine_end(uint8_t code)
{
	switch (code) {
	case SHUTDOWN_poweroff:
		log_info("d0 shut down: switching the machine off\n");
		arch_machine_off();
	case SHUTDOWN_reboot:
		log_info("d0 restarts: restarting the machine\n");
		arch_machine_restart();
	case SHUTDOWN_watchdog:
		log_err("d0's watchdog expired\n");
		break;
	case SHUTDOWN_crash:
		log_err("d0 crashed\n");
		break;
	default:
		log_err("d0 ended: reason %u\n", code);
		break;
	}
	domain_fails_machine();
}

void domain_set_shutdown_code(struct domain *d, uint8_t code)
{
	uint8_t none = SHUTDOWN_CODE_NONE;

	(void)__atomic_compare_exchange_n(&d->shutdown_code, &none, code, false,
					  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void domain_shutdown(struct domain *d, uint8_t code)
{
	uint8_t state = __atomic_load_n(&d->state, __ATOMIC_RELAXED);

	if (__atomic_exchange_n(&d->shutdown_claimed, 1, __ATOMIC_SEQ_CST)) {
		return; /* the first one has decided */
	}
	domain_set_shutdown_code(d, code);
	code = d->shutdown_code;
	if (d->is_hardware) {
		machine_end(code);
	}
	if (d->console && !d->restart) { /* maybe no toolstack tells */
		log_info("%s ended: reason %u\n", d->name, code);
	}
	domain_pause(d); /* before domain_resume() may undo it */
	if (state < DOM_SHUTDOWN) {
		/* Fails when it is being torn down: that comes last. */
		(void)__atomic_compare_exchange_n(&d->state, &state,
						  DOM_SHUTDOWN, false,
						  __ATOMIC_SEQ_CST,
						  __ATOMIC_RELAXED);
	}
	if (d->restart && d->state == DOM_SHUTDOWN) {
		restart_ended(d, code);
	}
	domain_tell_controller();
}

int domain_resume(struct domain *d)
{
	if (d->state != DOM_SHUTDOWN || d->shutdown_code != SHUTDOWN_suspend) {
		return -EINVAL;
	}
	d->state = DOM_RUNNING;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	__atomic_store_n(&d->shutdown_claimed, 0, __ATOMIC_SEQ_CST);
	domain_unpause(d);
	return 0;
}

static void tell(uint8_t what)
{
	__atomic_fetch_or(&news, what, __ATOMIC_SEQ_CST);
	pcpu_post_self(PWORK_DOMAIN);
}

void domain_tell_controller(void)
{
	tell(NEWS_FOR_CONTROLLER);
}

void domain_crash_soon(struct domain *d, const char *why)
{
	__atomic_store_n(&d->crash_why, why, __ATOMIC_RELAXED);
	tell(NEWS_OF_CRASH);
}

/* One that has ended stays as it is; one that nobody finds is going. */
__cold static void end_crashed(void)
{
	struct domain *d = domain_next_get(0);

	while (d) { /* bound: MAX_DOMAINS */
		uint32_t next = d->id + 1u;
		const char *why = __atomic_exchange_n(&d->crash_why, NULL,
						      __ATOMIC_RELAXED);

		if (why && !d->shutdown_claimed) {
			log_err("%s crashes: %s\n", d->name, why);
			domain_shutdown(d, SHUTDOWN_crash);
		}
		domain_put(d);
		d = domain_next_get((domid_t)next);
	}
}

void domain_poll(void)
{
	uint8_t what = __atomic_exchange_n(&news, 0, __ATOMIC_SEQ_CST);

	if (what & NEWS_OF_CRASH) {
		end_crashed();
	}
	if ((what & NEWS_FOR_CONTROLLER) && hardware_domain) {
		evtchn_send_global_virq(hardware_domain, VIRQ_DOM_EXC);
	}
	domain_free_some();
}
