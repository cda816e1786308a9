/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that keeps the hypervisor or a daemon of the control domain busy
 * without a pause, in the way its command line names. Runs by xl.
 */
#include "port.h"

#define BATCH		64u
#define PORT_TRIES	4096u

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t random32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Every port there is, taken and given back; each rings itself meanwhile. */
static void events(void)
{
	evtchn_bind_ipi_t bind;
	uint32_t first = UINT32_MAX;
	uint32_t last = 0;
	uint32_t i;

	for (i = 0; i < PORT_TRIES; i++) {
		bind = (evtchn_bind_ipi_t){ .vcpu = 0 };
		if (EVTCHN(EVTCHNOP_bind_ipi, &bind)) {
			break;
		}
		first = bind.port < first ? bind.port : first;
		last = bind.port;
		port_send(bind.port);
	}
	for (i = first; i <= last; i++) {
		port_send(i);
		port_close(i);
	}
}

/* Lists of grants, few of which there are: mapped, handed back, copied. */
static void grants(void)
{
	static gnttab_map_grant_ref_t map[BATCH];
	static gnttab_unmap_grant_ref_t unmap[BATCH];
	static gnttab_copy_t copy[BATCH];
	uint32_t i;

	for (i = 0; i < BATCH; i++) {
		map[i] = (gnttab_map_grant_ref_t){
			.host_addr = machine.grant.base + i * PAGE_SIZE,
			.flags = GNTMAP_host_map,
			.ref = random32() % 600,
			.dom = random32() & 1 ? DOMID_SELF : 0,
		};
		copy[i] = (gnttab_copy_t){
			.source = { .u.ref = random32() % 600, .domid = 0 },
			.dest = { .u.gmfn = random32() >> 8,
				  .domid = DOMID_SELF },
			.len = (uint16_t)(random32() & 0x1fff),
			.flags = GNTCOPY_source_gref,
		};
	}
	hc3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, PTR(map),
	    BATCH);
	for (i = 0; i < BATCH; i++) {
		unmap[i] = (gnttab_unmap_grant_ref_t){
			.host_addr = map[i].host_addr,
			.handle = random32() & 1 ? map[i].handle : random32(),
		};
	}
	hc3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, PTR(unmap),
	    BATCH);
	hc3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, PTR(copy), BATCH);
}

/* More output than anybody can read, and now and then counts that are none. */
static void console(void)
{
	volatile struct xencons_interface *ring =
		(void *)(uintptr_t)machine.console;

	ring->out[random32() % sizeof(ring->out)] = (char)random32();
	ring->out_prod = random32() & 63 ?
		ring->out_cons + random32() % sizeof(ring->out) : random32();
	ring->in_cons = random32();
	port_send((uint32_t)seed & 7);	/* one of them is the console's */
}

/* Requests and lengths that are none, to the store's daemon. */
static void store(void)
{
	volatile uint32_t *page = (void *)(uintptr_t)
		(machine.console + PAGE_SIZE);	/* libxc's next special page */

	page[random32() % 256] = random32() & 31;
	page[2048 / 4 + (random32() & 3)] = random32();
	port_send((uint32_t)seed & 7);
}

static void by_command_line(void)
{
	static const struct test floods[] = {
		{ "events", events },
		{ "grants", grants },
		{ "console", console },
		{ "store", store },
	};
	unsigned int i;

	ports_init();
	for (i = 0; i < ARRAY_SIZE(floods); i++) {
		if (has_bootarg(floods[i].name)) {
			printf("now: %s\n", floods[i].name);
			for (;;) {
				floods[i].fn();
			}
		}
	}
	CHECK(!"a flood on the command line");
}

const struct test guest_tests[] = {
	{ "by_command_line", by_command_line },
	{ NULL, NULL },
};
