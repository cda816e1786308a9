/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes for what the hypervisor keeps from this domain, which its bootargs
 * name: registers and memory ("hide=BASE+SIZE"), RAM of the machine of which
 * only its own may answer ("ram=BASE+SIZE") and interrupts ("line=N"). First
 * and last it waits for a key, so that somebody can look at the devices.
 */
#include "guest.h"

#define UARTDR		0x00u
#define UARTFR		0x18u
#define FR_RXFE		(1u << 4)
#define FSC_EXTERNAL	0x10u
#define ESR_WNR		(1u << 6)
#define PATTERN		UINT64_C(0xa5a55a5ac3c33c3c)
#define MAX_PAGES	32u	/* of one range, evenly spread */
#define RAM_STEP	0x10000u
#define FIRST_SPI	32u

struct form {
	uint64_t (*fn)(uint64_t addr);
	bool write;
};

/* One access: x0 is the address, x1 the value; returns x1. */
#define FORM(name, insn)						\
static uint64_t name(uint64_t addr)					\
{									\
	register uint64_t x0 asm("x0") = addr;				\
	register uint64_t x1 asm("x1") = PATTERN;			\
	asm volatile(insn : "+r"(x0), "+r"(x1) :: "x2", "memory");	\
	return x1;							\
}
FORM(read8, "ldrb w1, [x0]")
FORM(read16, "ldrh w1, [x0]")
FORM(read32, "ldr w1, [x0]")
FORM(read64, "ldr x1, [x0]")
FORM(read_pair, "ldp x1, x2, [x0]")
FORM(read_indexed, "ldr w1, [x0], #4")
FORM(write8, "strb w1, [x0]")
FORM(write16, "strh w1, [x0]")
FORM(write32, "str w1, [x0]")
FORM(write64, "str x1, [x0]")
FORM(write_pair, "stp x1, x1, [x0]")
FORM(write_indexed, "str w1, [x0], #4")

static const struct form forms[] = {
	{ read8, false }, { read16, false }, { read32, false },
	{ read64, false }, { read_pair, false }, { read_indexed, false },
	{ write8, true }, { write16, true }, { write32, true },
	{ write64, true }, { write_pair, true }, { write_indexed, true },
};

static bool exact;	/* this hypervisor is as the architecture says */

/* ---- registers and memory ------------------------------------------------ */

/* Is this a data abort of exactly this access? */
static bool is_its_fault(const struct trap *t, const struct form *f,
			 uint64_t va)
{
	if (t->hits != 1 || ESR_EC(t->esr) != EC_DABT_CUR || t->far != va) {
		return false;
	}
	return !exact || (ESR_FSC(t->esr) == FSC_EXTERNAL &&
			  (t->esr & ESR_WNR) == (f->write ? ESR_WNR : 0));
}

static void refused(const struct form *f, uint64_t pa)
{
	uint64_t va = MAP_WINDOW + pa % PAGE_SIZE;
	struct trap t;
	uint64_t x1;

	trap_arm();
	x1 = f->fn(va);
	if (!trap_taken(&t) || !is_its_fault(&t, f, va) || x1 != PATTERN) {
		printf("%s %lx: x1 %lx, faults %u, esr %lx, far %lx\n",
		       f->write ? "write" : "read", pa, x1, t.hits, t.esr,
		       t.far);
		CHECK(!"reached");
	}
}

static void refused_page(uint64_t pa, unsigned int how)
{
	unsigned int i;

	mmu_window(0, pa, how);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		refused(&forms[i], pa);
		refused(&forms[i], pa + PAGE_SIZE - 16);
	}
}

static void registers(void)
{
	const char *at = NULL;
	unsigned int n = 0;
	struct range r;

	while (bootarg_next("hide=", &at, &r)) {
		uint64_t pages = r.size / PAGE_SIZE;
		uint64_t step = pages > MAX_PAGES ? pages / MAX_PAGES : 1;
		uint64_t i;

		for (i = 0; i < pages; i += step, n++) {
			refused_page(r.base + i * PAGE_SIZE, MAP_DEVICE);
		}
		refused_page(r.base + r.size - PAGE_SIZE, MAP_RW);
	}
	CHECK(n > 0);
}

/* The page itself, as instructions and as a table of stage 1. */
static void other_ways(void)
{
	uint64_t va = MAP_WINDOW + (2u << 20);
	const char *at = NULL;
	struct range r;
	struct trap t;

	while (bootarg_next("hide=", &at, &r)) {
		void (*fn)(void) = (void (*)(void))(uintptr_t)MAP_WINDOW;

		mmu_window(0, r.base, MAP_RW);
		trap_arm();
		fn();
		CHECK(trap_taken(&t) && t.hits == 1);
		EXPECT_EQ(ESR_EC(t.esr), EC_IABT_CUR);
		mmu_table_at(r.base);
		trap_arm();
		(void)read32(va);
		CHECK(trap_taken(&t) && t.hits == 1);
		EXPECT_EQ(ESR_EC(t.esr), EC_DABT_CUR);
	}
}

static bool is_mine(uint64_t pa)
{
	unsigned int i;

	for (i = 0; i < machine.nr_ram; i++) {
		if (pa - machine.ram[i].base < machine.ram[i].size) {
			return true;
		}
	}
	return false;
}

/* The hypervisor's, other domains', nobody's. */
static void memory(void)
{
	static const struct form load = { read64, false };
	static const struct form store = { write64, true };
	const char *at = NULL;
	unsigned int n = 0;
	struct range r;
	uint64_t pa;

	while (bootarg_next("ram=", &at, &r)) {
		for (pa = r.base; pa < r.base + r.size; pa += RAM_STEP) {
			if (is_mine(pa)) {
				continue;
			}
			n++;
			mmu_window(0, pa, MAP_RW);
			refused(&load, pa);
			refused(&store, pa);
		}
	}
	CHECK(n > 0);
}

/* ---- interrupts ---------------------------------------------------------- */

/* All that an owner would do, to a line that is not ours; it stays on. */
static void take_line(unsigned int intid)
{
	gic_disable(intid);
	gic_config_edge(intid, true);
	gic_config_edge(intid, false);
	if (intid >= FIRST_SPI) {
		gic_route(intid, 0);
	}
	gic_priority(intid, 0x10);
	gic_enable(intid);
	if (exact) {
		gic_pend(intid);
		gic_set_bit(intid, GICD_ISACTIVER);
		gic_set_bit(intid, GICD_ICACTIVER);
		gic_unpend(intid);
	}
}

/* Nothing comes from outside. */
static void lines(void)
{
	const char *at = NULL;
	unsigned int intid;
	struct range r;

	while (bootarg_next("line=", &at, &r)) {
		intid = (unsigned int)r.base;
		take_line(intid);
		pump_us(100);
		EXPECT_EQ(this_cpu()->irq_count[intid], 0);
	}
}

/* Those of the hypervisor's timer, of its GIC, of the PMU ... */
static void private_lines(void)
{
	unsigned int i;

	for (i = 16; i < FIRST_SPI; i++) {
		if (i != machine.intid_evtchn && i != machine.intid_vtimer &&
		    i != machine.intid_ptimer) {
			take_line(i);
			pump_us(100);
			EXPECT_EQ(this_cpu()->irq_count[i], 0);
		}
	}
}

/* ---- calls --------------------------------------------------------------- */

static struct xen_domctl op;

static int64_t domctl(uint32_t cmd)
{
	op.cmd = cmd;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = 0;
	return hc1(__HYPERVISOR_domctl, PTR(&op));
}

static void ask_for_registers(const struct range *r)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_dev_mmio,
		.idx = r->base / PAGE_SIZE, .gpfn = r->base / PAGE_SIZE,
	};

	op.u.iomem_permission = (struct xen_domctl_iomem_permission){
		.first_mfn = r->base / PAGE_SIZE, .nr_mfns = 1,
		.allow_access = 1,
	};
	CHECK(domctl(XEN_DOMCTL_iomem_permission) < 0);
	op.u.memory_mapping = (struct xen_domctl_memory_mapping){
		.first_gfn = r->base / PAGE_SIZE,
		.first_mfn = r->base / PAGE_SIZE, .nr_mfns = 1,
		.add_mapping = 1,
	};
	CHECK(domctl(XEN_DOMCTL_memory_mapping) < 0);
	/* The peer says 0 and maps nothing. */
	CHECK(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap,
		  PTR(&map)) < 0 || !exact);
}

/* As a page of somebody who is no domain. */
static void ask_for_foreign(const struct range *r)
{
	static const domid_t whose[] = { DOMID_IO, DOMID_XEN };
	xen_ulong_t idx = r->base / PAGE_SIZE;
	xen_pfn_t gpfn = r->base / PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(whose); i++) {
		int error = 1;
		struct xen_add_to_physmap_batch map = {
			.domid = DOMID_SELF, .size = 1,
			.space = XENMAPSPACE_gmfn_foreign,
			.u.foreign_domid = whose[i],
		};

		map.idxs.p = &idx;
		map.gpfns.p = &gpfn;
		map.errs.p = &error;
		CHECK(hc2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch,
			  PTR(&map)) < 0 || error < 0);
	}
}

static void ask_for_line(unsigned int intid)
{
	struct physdev_map_pirq pirq = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI,
		.index = (int)intid, .pirq = (int)intid,
	};

	op.u.irq_permission = (struct xen_domctl_irq_permission){
		.pirq = (uint8_t)intid, .allow_access = 1,
	};
	CHECK(domctl(XEN_DOMCTL_irq_permission) < 0);
	op.u.bind_pt_irq = (struct xen_domctl_bind_pt_irq){
		.machine_irq = intid, .irq_type = PT_IRQ_TYPE_SPI,
		.u.spi.spi = (uint16_t)intid,
	};
	CHECK(domctl(XEN_DOMCTL_bind_pt_irq) < 0);
	CHECK(hc2(__HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq,
		  PTR(&pirq)) < 0);
}

static void calls(void)
{
	const char *at = NULL;
	struct range r;

	while (bootarg_next("hide=", &at, &r)) {
		ask_for_registers(&r);
		ask_for_foreign(&r);
		refused_page(r.base, MAP_DEVICE);
	}
	for (at = NULL; bootarg_next("line=", &at, &r);) {
		ask_for_line((unsigned int)r.base);
	}
}

/*
 * Firmware's services: of the chip's maker, of the board's, of its trusted
 * system, to freeze or suspend what is not ours.
 */
static void firmware(void)
{
	static const uint32_t ranges[] = {
		0x81000000, 0xc1000000, 0x82000000, 0xc2000000, 0x83000000,
		0xc3000000, 0xb0000000, 0xb2000000, 0xbf000000, 0xf2000000,
		0x84000060, 0xc4000020, 0xc4000060, 0x8400000b, 0xc400000c,
		0x84000050,
	};
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (n = 0; n < 16; n++) {
			EXPECT_EQ(smccc_smc(ranges[i] + n, 0, 0, 0), -1);
			EXPECT_EQ(smccc_hvc(ranges[i] + n, 0, 0, 0), -1);
		}
	}
	CHECK(smccc_smc(PSCI_CPU_ON, machine.nr_cpus, 0, 0) < 0);
}

/* ---- when ---------------------------------------------------------------- */

static bool key_came(void)
{
	static char typed[8];

	if (machine.uart) {
		if (mmio_read32(machine.uart + UARTFR) & FR_RXFE) {
			return false;
		}
		(void)mmio_read32(machine.uart + UARTDR);
		return true;
	}
	return hc3(__HYPERVISOR_console_io, CONSOLEIO_read, sizeof(typed),
		   PTR(typed)) > 0;
}

static void wait_key(void)
{
	printf("look, then type\n");
	while (!key_came()) {
		delay_us(100);
	}
}

/* Told of nothing, it is somebody whose memory others go for. */
static void before(void)
{
	const char *at = NULL;
	struct range r;

	while (!bootarg_next("hide=", &at, &r)) {
		wfi();
	}
	exact = !PEER_DIFFERS("injects aborts with an empty syndrome, has no "
			      "GICD_ISACTIVER and GICD_ICPENDR");
	wait_key();
}

const struct test guest_tests[] = {
	{ "before", before },
	{ "registers", registers },
	{ "other_ways", other_ways },
	{ "memory", memory },
	{ "lines", lines },
	{ "private_lines", private_lines },
	{ "calls", calls },
	{ "firmware", firmware },
	{ "registers", registers },	/* after all that */
	{ "after", wait_key },
	{ NULL, NULL },
};
