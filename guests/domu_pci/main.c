/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of xl with two vCPUs that was given two of QEMU's "edu" cards by
 * pci= and attacks with them: their configuration space, their BARs, the
 * virtual ITS and its queue, messages without end. After each attack its first
 * card answers and interrupts as before. At the end both vCPUs do all of it at
 * a time, for ever, so that functions are taken, given and the guest is
 * destroyed meanwhile.
 */
#include "domu_pci.h"

uint64_t queue[4 * SLOTS] __attribute__((aligned(65536)));
uint8_t lpi_config[NR_LPIS] __attribute__((aligned(65536)));
uint8_t pending[65536] __attribute__((aligned(65536)));
uint64_t spare[512] __attribute__((aligned(4096)));
unsigned int written;		/* next slot */
volatile unsigned int taken;	/* of EVENT's LPI */
volatile unsigned int strange;	/* of others */

static const uint64_t bad[] = {
	0, ~UINT64_C(0), VALID, UINT64_C(0x8000000040000000),
	UINT64_C(0xffffffff00000000), UINT64_C(0x5555555555555555),
	UINT64_C(0xaaaaaaaaaaaaaaaa), UINT64_C(0x0000000600000006),
};

/* One for each vCPU. */
static uint64_t seed[2] = {
	UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd1b54a32d192ed03),
};

uint64_t random64(void)
{
	uint64_t *s = &seed[this_cpu()->id & 1];

	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

uint64_t any(unsigned int i)
{
	return i % 3 ? bad[i % ARRAY_SIZE(bad)] : random64();
}

static void count(unsigned int intid)
{
	if (intid == LPI + EVENT) {
		taken++;
	} else if (intid >= LPI) {
		strange++;
	}
}

/* ---- one access; it may abort ---------------------------------------- */

void write_any(uint64_t at, unsigned int bytes, uint64_t value)
{
	trap_arm();
	switch (bytes) {
	case 1:
		mmio_write8(at, (uint8_t)value);
		break;
	case 2:
		mmio_write16(at, (uint16_t)value);
		break;
	case 4:
		mmio_write32(at, (uint32_t)value);
		break;
	default:
		mmio_write64(at, value);
	}
	(void)trap_taken(NULL);
}

uint64_t read_any(uint64_t at, unsigned int bytes)
{
	uint64_t value;

	trap_arm();
	switch (bytes) {
	case 1:
		value = mmio_read8(at);
		break;
	case 2:
		value = mmio_read16(at);
		break;
	case 4:
		value = mmio_read32(at);
		break;
	default:
		value = mmio_read64(at);
	}
	(void)trap_taken(NULL);
	return value;
}

/* Those that carry no syndrome. */
void odd_accesses(uint64_t at)
{
	uint64_t value = 0;

	trap_arm();
	asm volatile("stp %w0, %w0, [%1]" :: "r"(value), "r"(at) : "memory");
	asm volatile("ldp %w0, wzr, [%1]" : "=r"(value) : "r"(at) : "memory");
	asm volatile("ldxr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
	asm volatile("str %w0, [%1], #4" :: "r"(value), "r"(at) : "memory");
	asm volatile("dc civac, %0" :: "r"(at) : "memory");
	asm volatile("dc ivac, %0" :: "r"(at) : "memory");
	asm volatile("prfm pldl1keep, [%0]" :: "r"(at) : "memory");
	(void)trap_taken(NULL);
}

/* ---- what must go on ------------------------------------------------- */

void command(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	written = its_put(queue, written, w0, w1, w2, w3);
}

bool run(void)
{
	return its_run(ITS, written);
}

void lpis(uint64_t config, uint64_t pend)
{
	mmio_write32(this_cpu()->gicr + GICR_CTLR, 0);
	mmio_write64(this_cpu()->gicr + GICR_PROPBASER, config);
	mmio_write64(this_cpu()->gicr + GICR_PENDBASER, pend);
	mmio_write32(this_cpu()->gicr + GICR_CTLR, 1);
}

/* As after reset, with nothing pending. */
void start(void)
{
	unsigned int i;

	mmio_write32(ITS + GITS_CTLR, 0);
	memset(queue, 0, sizeof(queue));
	memset(lpi_config, 0xa1, sizeof(lpi_config));
	dsb();
	lpis(PTR(lpi_config) | 13, PTR(pending));
	mmio_write64(ITS + GITS_CBASER, PTR(queue) | VALID);
	mmio_write32(ITS + GITS_CTLR, 1);
	written = 0;
	for (i = 1; i <= 8; i++) {
		command(MAPD | (uint64_t)(8 * i) << 32, 4, PTR(spare), 0);
	}
	command(MAPC, 0, VALID, 0);
	CHECK(run());
	irq_hook = count;
	pump_us(WAIT_US);
	taken = 0;
	strange = 0;
}

/* The card answers, and its message arrives, once. */
void works(const char *after)
{
	uint32_t id;

	start();
	CHECK(edu_find_at(ECAM, WINDOW) == DEVICE);
	id = mmio_read32(CARD);
	EXPECT_EQ(id, EDU_ID);
	command(MAPD | (uint64_t)DEVICE << 32, 4, PTR(spare) | VALID, 0);
	command(MAPTI | (uint64_t)DEVICE << 32,
		EVENT | (uint64_t)(LPI + EVENT) << 32, 0, 0);
	command(INV | (uint64_t)DEVICE << 32, EVENT, 0, 0);
	CHECK(run());
	CHECK(edu_message(ITS + GITS_TRANSLATER, EVENT));
	CHECK(wait_count(&taken, 1));
	pump_us(WAIT_US);		/* and not another one */
	if (taken != 1 || strange) {
		printf("pci: after %s: %u %u\n", after, taken, strange);
	}
	EXPECT_EQ(taken, 1);
	EXPECT_EQ(strange, 0);
}

/* Begin and end of what tools/ledger counts; to a CPU they are nothing. */
#define MARK(n) asm volatile("hint #(96 + %0)" :: "i"(n))

static void found(void)
{
	MARK(1);
	works("nothing");
	EXPECT_EQ(mmio_read32(CARD + 0x8000), EDU_ID);
	EXPECT_EQ(machine.nr_cpus, 2);
}

long one_frame(unsigned int op, uint64_t at)
{
	static xen_pfn_t frame;
	struct xen_memory_reservation r = {
		.nr_extents = 1, .domid = DOMID_SELF,
	};

	frame = at / PAGE_SIZE;
	set_xen_guest_handle(r.extent_start, &frame);
	return hc2(__HYPERVISOR_memory_op, op, PTR(&r));
}

/* ---- messages -------------------------------------------------------- */

/* Events that it does not have, and what of the frame is no doorbell. */
static void spurious(void)
{
	unsigned int i;

	works("nothing");
	for (i = 0; i < 4096; i++) {
		edu_message(ITS + GITS_TRANSLATER, i == EVENT ? 0xffff : i);
	}
	for (i = 0; i < 16; i++) {
		edu_message(ITS + GITS_TRANSLATER, 1u << i | 16);
		edu_message(ITS + 0x10000 + 4 * i, EVENT + 1);
		edu_message(ITS + 0x2000 * i, EVENT);
		edu_message(WINDOW + 0x80000 + 4 * i, EVENT);
		edu_message(any(i) & ~UINT64_C(3), EVENT);
	}
	pump_us(WAIT_US);
	EXPECT_EQ(taken + strange, 1);
	works("spurious messages");
}

/*
 * As fast as it can: nobody takes them; then a slow one does, which may find
 * many as one, as the CPU that they come to may not be this one. None is lost:
 * each that is sent after the one before it was taken comes.
 */
static void storm(void)
{
	unsigned int i, before;
	uint64_t raise;

	works("nothing");
	raise = edu_doorbell(ITS + GITS_TRANSLATER, EVENT);
	for (i = 0; i < STORM; i++) {
		mmio_write32(raise, 1);
	}
	CHECK(wait_count(&taken, 2));	/* those at once are one */
	irq_on();
	for (i = 0; i < STORM; i++) {
		mmio_write32(raise, 1);
	}
	irq_off();
	pump_us(WAIT_US);
	for (i = 0; i < STORM / 10; i++) {
		before = taken;
		mmio_write32(raise, 1);
		CHECK(wait_count(&taken, before + 1));
	}
	EXPECT_EQ(strange, 0);
	edu_quiet();
	works("a storm");
}

/* By its line, which is nobody's: no message, and none of dom0's. */
static void lines(void)
{
	unsigned int i;

	works("nothing");
	mmio_write32(CARD + 0x40, mmio_read32(CARD + 0x40) & 0xffff);
	for (i = 0; i < 4; i++) {
		mmio_write32(CARD + COMMAND, i & 1 ? 6 : 0x406);
		mmio_write32(WINDOW + 0x60, 1);
		pump_us(WAIT_US);
	}
	EXPECT_EQ(taken + strange, 1);
	works("its line");
}

/* ---- all at once ----------------------------------------------------- */

static void churn(void *arg)
{
	unsigned int i = 0;

	(void)arg;
	for (;; i++) {
		uint64_t at = CARD + (random64() & 0x8000);

		switch (random64() % 8) {
		case 0:
			write_any(at + BAR0, 4, WINDOW +
				  (random64() & 0x00f00000));
			break;
		case 1:
			write_any(at + COMMAND, 2, random64() | 2);
			break;
		case 2:
			write_any(at + (random64() & 0xff), 1u << i % 3,
				  random64());
			break;
		case 3:
			random_command(i);
			write_any(ITS + GITS_CWRITER, 8, written * 32 & 0xfe0);
			break;
		case 4:
			write_any(ITS + (random64() & 0x1ff), 8, random64());
			break;
		case 5:
			write_any(WINDOW + (random64() & 0x00ffffff), 4, 1);
			break;
		case 6:
			lpis(PTR(lpi_config) | 13, PTR(pending));
			mmio_write32(ITS + GITS_CTLR, 1);
			break;
		default:
			irq_on();
			(void)read_any(WINDOW + (random64() & 0xfffffc), 4);
			irq_off();
		}
	}
}

static void for_ever(void)
{
	MARK(2);
	printf("now: both\n");
	start();
	cpu_run(1, churn, NULL);
	churn(NULL);
}

static void second_cpu(void)
{
	EXPECT_EQ(cpu_start(1), 0);
	while (!__atomic_load_n(&cpus[1].online, __ATOMIC_ACQUIRE)) {
	}
}

const struct test guest_tests[] = {
	{ "found", found },
	{ "second_cpu", second_cpu },
	{ "every_register", every_register },
	{ "every_function", every_function },
	{ "bars_anywhere", bars_anywhere },
	{ "bars_in_the_way", bars_in_the_way },
	{ "bars_as_memory", bars_as_memory },
	{ "its_registers", its_registers },
	{ "redistributors", redistributors },
	{ "queues_anywhere", queues_anywhere },
	{ "random_commands", random_commands },
	{ "every_lpi", every_lpi },
	{ "page_goes", page_goes },
	{ "spurious", spurious },
	{ "storm", storm },
	{ "lines", lines },
	{ "for_ever", for_ever },
	{ NULL, NULL },
};
