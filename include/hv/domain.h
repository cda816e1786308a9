/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain: the unit of isolation. Created whole, published last, unpublished
 * first; freed when the last reference is gone.
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <lib/types.h>
#include <abi/xen.h>
#include <hv/lock.h>
#include <hv/evtchn.h>
#include <hv/gnttab.h>
#include <hv/p2m.h>
#include <hv/mmio.h>
#include <hv/vcpu.h>
#include <arch/domain.h> /* struct arch_domain */

#define MAX_DOMAINS 256 /* at a time; ids go up to DOMID_FIRST_RESERVED */
#define DOMID_HV DOMID_XEN /* owner of the hypervisor's own frames */

struct cpupool;
struct dom_config;
struct guest_console;
struct static_mem;
struct restart;
struct vpci;

enum domain_state {
	DOM_BUILDING, /* not published, or not yet unpaused once */
	DOM_RUNNING,
	DOM_SHUTDOWN, /* all vCPUs stopped; shutdown_code tells why */
	DOM_DYING,    /* being torn down */
	DOM_DEAD,     /* nothing left but references */
};

#define SHUTDOWN_CODE_NONE 0xffu

/* iommu_lock, .units the P2M lock as well; see core/iommu.c. */
struct iommu_domain {
	uint32_t units;    /* bit n: unit n may remember our tables */
	uint32_t nr_devices;
	uint16_t tag;      /* of its tables for all units; 0: none */
	bool enabled;      /* may have devices: RAM is mapped by frames */
	bool grants;       /* devices find granted frames where they are */
};

struct domain {
	domid_t id;
	uint8_t state;              /* enum domain_state; DOMAIN lock */
	uint8_t shutdown_code;      /* SHUTDOWN_* or what the guest says */
	bool is_control;            /* dom0: may use control operations */
	bool is_hardware;           /* dom0: owns devices and the machine */
	bool direct_mapped;         /* gfn == mfn for its RAM */
	uint32_t refs;              /* atomic; domain_get/domain_put */
	uint32_t nr_vcpus;          /* size of vcpu[] in use */
	struct vcpu **vcpu;         /* [max_vcpus], NULL until created */
	uint32_t max_vcpus;
	struct cpupool *pool;       /* control_lock; never NULL */
	uint32_t pool_id;           /* of it, for who has no lock; atomic */
	bool moves;                 /* paused by cpupool_move_step() */
	struct spinlock lock;       /* rank DOMAIN */

	struct p2m p2m;
	struct evtchn_table evtchn;
	struct gnttab gnttab;
	struct iommu_domain iommu;
	bool has_its;               /* for PCI functions; control_lock */
	bool has_pci;               /* a host of its own for them; the same */
	struct mmio_table mmio;
	struct arch_domain arch;

	struct shared_info *shared_info; /* one frame of ours, never NULL */
	struct page *shared_info_page;

	/* Limits and counts; under ->lock or atomic. */
	uint64_t tot_pages;         /* frames with owner == this domain */
	uint64_t max_pages;
	uint64_t claimed_pages;     /* set aside, not taken yet; page_lock */
	struct static_mem *static_mem; /* NULL: all of it is the heap's */
	uint64_t xen_pages;         /* of ours, on its behalf (tables, rings) */
	uint32_t controller_pause;  /* of pausedomain; control_lock */
	bool controller_stops;      /* the first one is under way */
	uint32_t teardown;          /* position of domain_destroy_step() */
	uint32_t free_part;         /* and of what comes after it */
	struct domain *next_dead;   /* domain_list_lock */
	uint32_t teardown_gen[NR_CPUS]; /* what it waits for: hv/work.h */

	struct guest_console *console; /* NULL: not one of boot time */
	uint64_t hvm_params[64];    /* HVM_PARAM_*; hc_hvm.c */
	uint64_t vm_assist;
	int64_t time_offset_ns;     /* guest clock zero, in host ns */
	struct timer watchdog[2];
	uint8_t watchdog_inuse;
	uint32_t features;          /* XENVER_get_features submap 0 */
	uint8_t handle[16];
	char name[32];              /* "d0", or the device tree's */
	uint64_t guest_errors;      /* counter of refused requests */

	/* Stopping. */
	const char *crash_why;      /* domain_crash_soon(); atomic */
	uint8_t shutdown_claimed;   /* atomic: first one decides the code */
	struct restart *restart;    /* NULL: when it stops it stays down */
	struct vpci *vpci;          /* NULL: no bridge; const once it runs */
};

extern struct domain *hardware_domain; /* dom0 or NULL */
/*
 * Control operations are done one at a time, under this lock (rank CONTROL):
 * making vCPUs, pausing, starting and ending another domain.
 */
extern struct spinlock control_lock;

/*
 * Build an unpublished domain with id cfg->domid and cfg->nr_vcpus vCPUs
 * OFFLINE, empty p2m. On error everything is undone. -ENOMEM, -EINVAL,
 * -EEXIST, -ENOSPC.
 */
__must_check int domain_create(const struct dom_config *cfg,
			       struct domain **out);
/* An id for a new domain, from 1, not one used lately; 0: none is free. */
domid_t domain_new_id(void);
/* No domain has @id, and no other's place in the table is in its way. */
bool domain_id_is_free(domid_t id);
/* From here on others can find it; its id is free. Cannot fail. */
void domain_publish(struct domain *d);
/* With a reference, or NULL. DOMID_SELF is not resolved here. */
struct domain *domain_lookup_get(domid_t id);
/* Resolve DOMID_SELF or an id, with a reference; NULL: no such domain. */
struct domain *domain_get_for(struct vcpu *v, domid_t id);
/* The domain with the lowest id >= @id, with a reference; NULL: none. */
struct domain *domain_next_get(domid_t id);
void domain_get(struct domain *d);
void domain_put(struct domain *d);
/* First unpause ends creation. */
void domain_start(struct domain *d);
/* Every vCPU's pause count up or down; nobody waits. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
/* Registers of all its vCPUs are in memory. */
bool domain_is_descheduled(const struct domain *d);
/*
 * Stop all its vCPUs; @code is a SHUTDOWN_*. For dom0: the machine. Takes no
 * lock below rank RUNQ; the controller is told at a work point.
 */
void domain_shutdown(struct domain *d, uint8_t code);
/*
 * domain_shutdown(SHUTDOWN_crash) at this CPU's next work point, by when
 * whatever lock is held now no longer is. @why goes to the log and must last.
 */
void domain_crash_soon(struct domain *d, const char *why);
/* The machine cannot go on: it restarts, or stops there with noreboot. */
__noreturn void domain_fails_machine(void);
/* The code with which it will end, whatever it ends for; the first counts. */
void domain_set_shutdown_code(struct domain *d, uint8_t code);
/* Continue a domain that stopped with SHUTDOWN_suspend. -EINVAL. */
__must_check int domain_resume(struct domain *d);
/*
 * One bounded step of the end of @d, whose vCPUs stop with the first one;
 * control_lock held. -EAGAIN: call again. 0: nothing is left but references
 * that others hold; the caller's is one of them.
 */
__must_check int domain_destroy_step(struct domain *d);
/* VIRQ_DOM_EXC to the controller, at a work point of this CPU. */
void domain_tell_controller(void);
/* PWORK_DOMAIN: what a domain has put off to a work point. */
void domain_poll(void);
/*
 * Free what domain_create() made; @d is not published, or can no longer be
 * found by anybody, and its p2m is empty.
 */
void domain_free(struct domain *d);
/* The last reference on @d is gone: it is freed in steps at work points. */
void domain_bury(struct domain *d);
/* Such a step of one such domain, at a work point. */
void domain_free_some(void);
/* Some are not freed yet. What was freed is no longer in any CPU's hands. */
bool domain_any_dead(void);
/* It is in no pool, and its place in the table is free, if it has one. */
void domain_unpublish(struct domain *d);

/* wallclock.c: the time of day at @system_ns of hypervisor time. */
void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_ns);
/* Write d's wc_* from the machine's; also after time_offset_ns changed. */
void domain_update_wallclock(struct domain *d);
/* Write d's wc_* as given: seconds and ns at its clock's zero. */
void domain_set_wallclock(struct domain *d, uint64_t sec, uint32_t nsec);

/* Held while a domain is put into or taken out of the table. */
extern struct spinlock domain_list_lock;

#define domain_for_each_vcpu(d, v, i)                                         \
	for ((i) = 0; (i) < (d)->max_vcpus; (i)++)                            \
		if (((v) = (d)->vcpu[i]) != NULL)

#endif
