/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console keys: what a person at the serial line can ask the hypervisor.
 *
 * Owns    nothing; reads the state of others without their locks, so that it
 *         also answers when something is stuck.
 * Bounds  one line a domain, vCPU, CPU or interrupt in use; registers of
 *         VCPUS_SHOWN vCPUs, EVENTS_SHOWN trace events a CPU.
 */
#include <hv/console_keys.h>
#include <hv/arch.h>
#include <hv/audit.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <hv/ipi.h>
#include <hv/irq.h>
#include <hv/page_alloc.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/trace.h>
#include <hv/vcpu.h>
#include <hv/watchdog.h>

#define VCPUS_SHOWN 16u
#define EVENTS_SHOWN 16u
#define EVENT_CHARS 80u /* of a trace event's line, at most */

static const char *state_name(uint8_t state)
{
	static const char *const names[] = { "offline", "runnable", "running",
					     "blocked" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

static void each_domain(void (*fn)(struct domain *d))
{
	struct domain *d = domain_next_get(0);

	while (d) { /* bound: MAX_DOMAINS, ids rise */
		domid_t next = (domid_t)(d->id + 1);

		fn(d);
		domain_put(d);
		d = domain_next_get(next);
	}
}

static void show_domain(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	log_err("%s: id %u state %u, %llu pages of %llu and %llu for it, %u "
		"vCPUs, %llu "
		"refused requests\n", d->name, d->id, d->state,
		(unsigned long long)d->tot_pages,
		(unsigned long long)d->max_pages,
		(unsigned long long)d->xen_pages, d->nr_vcpus,
		(unsigned long long)d->guest_errors);
	domain_for_each_vcpu(d, v, i) {
		log_err("  v%u %s on CPU %u of %#llx, pause %u, ran %llu us\n",
			v->id, state_name(v->state), v->cpu,
			(unsigned long long)v->cpus, v->pause_count,
			(unsigned long long)(sched_vcpu_cpu_time_ns(v) /
					     1000));
	}
}

static void key_domains(void)
{
	each_domain(show_domain);
}

/* One that did not come on line has no queue. */
static void key_queues(void)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		const struct pcpu *c = pcpus[i];

		log_err("CPU %u: %s, %u waiting\n", i,
			!c->online ? "offline" : c->idle ? "idle" : "busy",
			c->policy ? sched_nr_queued(c) : 0);
	}
}

static void key_memory(void)
{
	log_err("RAM: %llu KiB, free %llu KiB, %u pages of small objects\n",
		(unsigned long long)page_alloc_nr_total() * 4,
		(unsigned long long)page_alloc_nr_free() * 4, heap_nr_slabs());
	each_domain(show_domain);
}

static void key_interrupts(void)
{
	for (uint32_t i = 16; i < NR_INTIDS; i++) {
		const struct irq_desc *q = irq_desc_of(i);

		if (!q || q->owner == IRQ_NOBODY) {
			continue;
		}
		log_err("INTID %u: %s %u, %s\n", i,
			q->owner == IRQ_HV ? "hypervisor, CPU" : "guest, virq",
			q->owner == IRQ_HV ? q->cpu : q->virq,
			q->trigger == IRQ_EDGE ? "edge" : "level");
	}
}

/* The vCPU that this CPU holds; its saved registers are those of its trap. */
static void dump_here(void *arg)
{
	struct pcpu *c = this_pcpu();

	(void)arg;
	if (c->loaded) {
		log_err("CPU %u:\n", c->id);
		arch_vcpu_dump(c->loaded);
	}
}

static void key_registers(void)
{
	for (uint32_t i = 0; i < nr_pcpus; i++) {
		if (pcpus[i] == this_pcpu()) {
			dump_here(NULL);
		} else if (!pcpus[i]->online ||
			   ipi_post_call((uint16_t)i, dump_here, NULL)) {
			log_err("CPU %u: does not take messages\n", i);
		}
	}
}

/* Where its registers are, there they are read. */
static void show_vcpu(struct vcpu *v)
{
	uint16_t cpu = __atomic_load_n(&v->loaded_on, __ATOMIC_ACQUIRE);

	watchdog_touch();
	if (cpu == CPU_NONE || cpu == this_cpu()) {
		arch_vcpu_dump(v);
	} else if (ipi_post_call(cpu, dump_here, NULL)) {
		log_err("%sv%u: CPU %u does not take messages\n",
			v->domain->name, v->id, cpu);
	}
}

static void show_vcpus(struct domain *d)
{
	struct vcpu *v;
	uint32_t i;

	domain_for_each_vcpu(d, v, i) {
		if (i < VCPUS_SHOWN) {
			show_vcpu(v);
		}
	}
}

static void key_vcpus(void)
{
	each_domain(show_vcpus);
}

static void key_trace(void)
{
	for (uint16_t i = 0; i < nr_pcpus; i++) {
		watchdog_touch();
		trace_dump_last(LOG_ERR, i, EVENTS_SHOWN);
	}
}

/* As many as the log keeps; not to the serial line, which is slow. */
static void key_trace_all(void)
{
	unsigned int n = CONSOLE_RING_SIZE / EVENT_CHARS / nr_pcpus;

	for (uint16_t i = 0; i < nr_pcpus; i++) {
		watchdog_touch();
		trace_dump_last(LOG_DEBUG, i, n);
	}
}

static void key_audit(void)
{
	audit_request(true);
}

static void key_reboot(void)
{
	log_err("Restarting the machine\n");
	arch_machine_restart();
}

static void key_help(void);

static const struct console_key keys[] = {
	{ 'h', "this list", key_help },
	{ 'q', "domains and their vCPUs", key_domains },
	{ 'r', "run queues", key_queues },
	{ 'm', "memory", key_memory },
	{ 'i', "interrupts and their owners", key_interrupts },
	{ 'd', "registers of what runs on each CPU", key_registers },
	{ 'v', "registers and interrupts of all vCPUs", key_vcpus },
	{ 't', "last trace events of each CPU", key_trace },
	{ 'T', "all trace events, into the log alone", key_trace_all },
	{ 'k', "who has what: the isolation auditor", key_audit },
	{ 'R', "restart the machine", key_reboot },
	{ .key = 0 },
};

static void show_keys(const struct console_key *k)
{
	for (; k->key; k++) { /* bound: the table */
		log_err("  %c  %s\n", k->key, k->help);
	}
}

static void key_help(void)
{
	show_keys(keys);
	show_keys(debug_keys);
}

static bool run_key(const struct console_key *k, char key)
{
	for (; k->key; k++) { /* bound: the table */
		if (k->key == key) {
			k->fn();
			return true;
		}
	}
	return false;
}

void console_key(char key)
{
	if (key && !run_key(keys, key)) {
		(void)run_key(debug_keys, key);
	}
}

void console_keys(const char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) { /* bound: the caller's buffer */
		console_key(text[i]);
	}
}
