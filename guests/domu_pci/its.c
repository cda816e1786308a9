/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the virtual ITS, and on LPIs in the redistributors. */
#include "domu_pci.h"

/* ---- ITS ------------------------------------------------------------- */

void its_registers(void)
{
	unsigned int i;

	start();
	for (i = 0; i < 8 * 0x140; i++) {
		mmio_write32(ITS + GITS_CTLR, i >> 2 & 1);
		write_any(ITS + i / 8, 1u << i % 4, any(i));
		(void)read_any(ITS + i / 8, 1u << i % 4);
	}
	for (i = 0; i < ITS_SIZE; i += 0x5c) {
		write_any(ITS + i, 1u << i / 4 % 4, any(i));
		(void)read_any(ITS + (i & ~7u), 1u << i / 4 % 4);
	}
	odd_accesses(ITS + GITS_CWRITER);
	odd_accesses(ITS + GITS_TRANSLATER);
	works("ITS registers");
}

/* Registers of LPIs in the redistributors, of both vCPUs. */
void redistributors(void)
{
	unsigned int i;

	start();
	for (i = 0; i < 4 * 0x200; i++) {
		uint64_t gicr = this_cpu()->gicr + (i & 1) * 0x20000;

		if (i / 4 >= 0x10 && i / 4 < 0x18) {
			continue;	/* sleep */
		}
		write_any(gicr + i / 4, 1u << i % 4, any(i));
		(void)read_any(gicr + i / 4, 1u << i % 4);
	}
	works("redistributors");
}

/* A queue at @base, of which all is to be done. */
static void queue_at(uint64_t base, uint64_t end)
{
	unsigned int i;

	mmio_write32(ITS + GITS_CTLR, 0);
	mmio_write64(ITS + GITS_CBASER, base);
	mmio_write32(ITS + GITS_CTLR, 1);
	for (i = 0; i < 4; i++) {
		write_any(ITS + GITS_CWRITER, 8, end);
		write_any(ITS + GITS_CWRITER, 8, 0);
		write_any(ITS + GITS_CWRITER, 8, end ^ 0x20);
	}
}

void queues_anywhere(void)
{
	static const uint64_t at[] = {
		0, UINT64_C(0x7ffffff000), UINT64_C(0xffffffff0000),
		UINT64_C(0xffffffffff000), WINDOW, ITS, ITS + 0x10000, ECAM,
		GUEST_GICV3_GICD_BASE, 0x38000000, 0x41000000,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		start();
		queue_at(at[i] | VALID, 0xfe0);
		queue_at(at[i] | VALID | 255, 0x1fe0);
		queue_at(at[i] | VALID, 0xfffe0);
		queue_at(at[i], 0xfe0);
	}
	queue_at((ram_top() - PAGE_SIZE) | VALID | 255, 0xfffe0);
	queue_at(~UINT64_C(0), ~UINT64_C(0));
	works("queues anywhere");
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		start();
		lpis(at[i] | (i % 16), ~at[i]);
		command(MAPD | (uint64_t)DEVICE << 32, 4, VALID, 0);
		command(MAPTI | (uint64_t)DEVICE << 32,
			EVENT | (uint64_t)(LPI + EVENT) << 32, 0, 0);
		command(0x0d, 0, 0, 0);
		command(INT | (uint64_t)DEVICE << 32, EVENT, 0, 0);
		CHECK(run());
		pump_us(100);
		EXPECT_EQ(taken, 0);	/* nothing enables it */
	}
	works("tables anywhere");
}

/* Random commands about what there is, or nearly. */
void random_command(unsigned int i)
{
	static const uint8_t real[] = {
		1, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15,
	};
	uint64_t w[4];
	unsigned int n;

	for (n = 0; n < 4; n++) {
		w[n] = any(i + n + (unsigned int)random64() % 16);
	}
	if (i % 8) {
		w[0] = real[random64() % ARRAY_SIZE(real)] |
		       (random64() % 4 * 8) << 32;
		w[1] = (random64() & 63) | (LPI + (random64() & 63)) << 32;
		w[2] = (random64() & 3) | (random64() & 3) << 16 |
		       (random64() & VALID);
	}
	command(w[0], w[1], w[2], w[3]);
}

void random_commands(void)
{
	unsigned int i;

	start();
	for (i = 0; i < 6000; i++) {
		random_command(i);
		if (i % 100 == 99) {
			CHECK(run());
			pump_us(10);
		}
	}
	works("random commands");
}

/*
 * All LPIs that there are wait for a vCPU that takes none, are moved, asked
 * for and masked meanwhile, and are taken after all, once each.
 */
void every_lpi(void)
{
	unsigned int i;

	start();
	command(MAPD | (uint64_t)DEVICE << 32, 10, PTR(spare) | VALID, 0);
	CHECK(run());
	for (i = 0; i < MANY; i++) {
		command(MAPTI | (uint64_t)DEVICE << 32,
			i | (uint64_t)(LPI + i) << 32, 0, 0);
		command(INT | (uint64_t)DEVICE << 32, i, 0, 0);
		CHECK(i % 32 != 31 || run());
	}
	for (i = 0; i < 30; i++) {
		command(0x0e, 0, 0, 0);			/* MOVALL */
		command(0x0d, 0, 0, 0);			/* INVALL */
		command(MAPC, 0, VALID, 0);
		CHECK(run());
	}
	irq_on();
	for (i = 0; i < 1000 && taken + strange < MANY; i++) {
		delay_us(HANG_US / 1000);
	}
	irq_off();
	EXPECT_EQ(taken + strange, MANY);
	for (i = 0; i < MANY; i++) {
		command(INT | (uint64_t)DEVICE << 32, i, 0, 0);
		CHECK(i % 32 != 31 || run());
	}
	command(MAPD | (uint64_t)DEVICE << 32, 4, 0, 0);
	CHECK(run());
	pump_us(WAIT_US);
	EXPECT_EQ(taken + strange, MANY);	/* those went with it */
	works("every LPI");
}

/* The queue's page comes and goes while it is read. */
static volatile bool over;

static void give_and_take(void *arg)
{
	uint64_t at = *(uint64_t *)arg;

	while (!over) {
		(void)one_frame(XENMEM_decrease_reservation, at);
		(void)one_frame(XENMEM_populate_physmap, at);
	}
}

void page_goes(void)
{
	uint64_t at = PTR(spare);
	unsigned int i;

	start();
	over = false;
	cpu_run(1, give_and_take, &at);
	for (i = 0; i < 60; i++) {
		queue_at(at | VALID | i % 3, 0xfe0);
		lpis(at | 13, at);
		mmio_write32(ITS + GITS_CTLR, 0);
		mmio_write64(ITS + GITS_CBASER, PTR(queue) | VALID);
		mmio_write32(ITS + GITS_CTLR, 1);
		written = 0;
		random_command(i);
		command(0x0d, 0, 0, 0);
		CHECK(run());
	}
	over = true;
	while (__atomic_load_n(&cpus[1].fn, __ATOMIC_ACQUIRE)) {
	}
	works("a page that goes");
}

