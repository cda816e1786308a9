/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bare-metal test guest is written with: the machine as the device
 * tree describes it, exceptions that a test expects, printing by hypercall,
 * GIC, timer, other CPUs, and the checks.
 *
 * A guest defines `const struct test guest_tests[]`, ended by a null name.
 * Each test prints PASS or FAIL; the guest ends with GUEST PASS or GUEST FAIL
 * and powers off.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/xen.h"
#include "lib/errno.h"

#define MAX_CPUS	8
#define MAX_INTID	1020
#define LPI_FIRST	8192u
#define PAGE_SIZE	4096u
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- the machine ---------------------------------------------------- */

struct range {
	uint64_t base;
	uint64_t size;
};

struct platform {
	const void *fdt;
	uint64_t boot_ticks;		/* CNTPCT at the first instruction */
	unsigned int nr_cpus;
	uint64_t mpidr[MAX_CPUS];
	struct range ram[8];
	unsigned int nr_ram;
	unsigned int gic_version;
	struct range gicd;
	struct range gicc;		/* GICv2 */
	struct range gicr[4];		/* GICv3 */
	unsigned int nr_gicr;
	unsigned int intid_vtimer;
	unsigned int intid_ptimer;
	unsigned int intid_evtchn;
	struct range grant;		/* where grant frames may be mapped */
	uint64_t console;		/* page of the console ring, or 0 */
	uint64_t uart;			/* a PL011's registers, or 0 */
	unsigned int intid_uart;
	uint64_t rtc;			/* a PL031's registers, or 0 */
	unsigned int intid_rtc;
	bool bulkhead;			/* the hypervisor is ours */
	bool native;			/* there is no hypervisor */
	bool strict;			/* "strict" in bootargs: skip nothing */
};

extern struct platform machine;

int platform_read(const void *fdt);	/* 0, or -1 when no usable tree */
const char *bootargs(void);		/* "" when there are none */
bool has_bootarg(const char *word);	/* as a whole word */
/*
 * The next BASE or BASE+SIZE, hexadecimal, after @word in the bootargs; *at
 * begins as NULL. False: no more.
 */
bool bootarg_next(const char *word, const char **at, struct range *out);

/* ---- registers ------------------------------------------------------ */

#define sysreg_read(name) ({						\
	uint64_t v_;							\
	asm volatile("mrs %0, " #name : "=r"(v_) :: "memory");		\
	v_; })
#define sysreg_write(name, val)						\
	asm volatile("msr " #name ", %0" :: "r"((uint64_t)(val)) : "memory")
#define isb()	asm volatile("isb" ::: "memory")
#define dsb()	asm volatile("dsb sy" ::: "memory")
#define wfi()	asm volatile("dsb sy\n\twfi" ::: "memory")

static inline void irq_on(void)
{
	asm volatile("msr daifclr, #2\n\tisb" ::: "memory");
}

static inline void irq_off(void)
{
	asm volatile("msr daifset, #2\n\tisb" ::: "memory");
}

/* One plain load or store each, so that a trap carries a full syndrome. */
#define MMIO_ACCESSORS(bits, type, r, suffix)				\
static inline type mmio_read##bits(uint64_t addr)			\
{									\
	type v;								\
	asm volatile("ldr" suffix " %" r "0, [%1]"			\
		     : "=r"(v) : "r"(addr) : "memory");			\
	return v;							\
}									\
static inline void mmio_write##bits(uint64_t addr, type v)		\
{									\
	asm volatile("str" suffix " %" r "0, [%1]"			\
		     :: "rZ"(v), "r"(addr) : "memory");			\
}
MMIO_ACCESSORS(8, uint8_t, "w", "b")
MMIO_ACCESSORS(16, uint16_t, "w", "h")
MMIO_ACCESSORS(32, uint32_t, "w", "")
MMIO_ACCESSORS(64, uint64_t, "x", "")

/* ---- CPUs and exceptions -------------------------------------------- */

struct frame {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
	uint64_t pad;
};

struct trap {
	bool armed;
	unsigned int hits;
	unsigned int kind;		/* vector 4 sync .. 7 SError; 8.. EL0 */
	uint64_t esr;
	uint64_t far;
	uint64_t elr;
	uint64_t back;			/* where exceptions from EL0 go on */
};

struct cpu {
	uint64_t stack_end;		/* first: secondary_entry reads it */
	unsigned int id;
	bool online;
	void (*fn)(void *arg);		/* work handed over by cpu_run */
	void *arg;
	uint64_t context;		/* x0 at CPU_ON, as it arrived */
	struct trap trap;
	uint64_t gicr;			/* this CPU's redistributor frame */
	unsigned int last_irq;
	unsigned int irqs;
	unsigned int irq_count[MAX_INTID];
};

extern struct cpu cpus[MAX_CPUS];

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	asm volatile("mrs %0, tpidr_el1" : "=r"(c));
	return c;
}

#define ESR_EC(esr)	((unsigned int)((esr) >> 26) & 0x3f)
#define ESR_FSC(esr)	((unsigned int)(esr) & 0x3f)
#define EC_UNKNOWN	0x00
#define EC_SVC64	0x15
#define EC_IABT_CUR	0x21
#define EC_DABT_CUR	0x25

#define SVC_BACK	0xe10	/* at EL0: back, nothing is recorded */
/*
 * Between these two a synchronous exception is recorded and stepped over;
 * one from EL0 goes on at @back, at EL1.
 */
void trap_arm(void);
bool trap_taken(struct trap *t);	/* disarms; true when one happened */

void exception(struct frame *f, unsigned int kind);
void secondary_entry(void);
void secondary_start(struct cpu *c);
void guest_start(const void *fdt, uint64_t ticks);

/* Optional: called for each interrupt between acknowledge and EOI. */
extern void (*irq_hook)(unsigned int intid);
void irq_counts_clear(void);
/*
 * After so long it does not come any more. QEMU lets a CPU of several stand
 * still for tens of milliseconds now and then, so less would say nothing.
 */
#define HANG_US		2000000u
/* Wait, IRQs on, until this CPU took n interrupts of intid; false: it hangs. */
bool irq_wait(unsigned int intid, unsigned int n);
/* The same for what a handler, of any CPU, counts. */
bool wait_count(const volatile unsigned int *count, unsigned int n);

int cpu_start(unsigned int id);		/* 0 or the PSCI error */
/* Work for a CPU that has none. */
void cpu_run(unsigned int id, void (*fn)(void *), void *arg);
/* Until it is done; false: it hangs, and not in a wait of its own. */
bool cpu_wait(unsigned int id);
/* Both. */
bool cpu_call(unsigned int id, void (*fn)(void *), void *arg);
void cpu_park(void);			/* PSCI CPU_OFF, does not return */

/* ---- memory --------------------------------------------------------- */

#define MAP_RW		0u
#define MAP_RO		1u
#define MAP_DEVICE	2u
#define MAP_NONE	4u
#define MAP_USER	8u	/* EL0 too, and EL1 executes it only when RO */
#define MAP_WINDOW	UINT64_C(0x7000000000)	/* 512 pages, for tests */
#define MAP_UNMAPPED	UINT64_C(0x6000000000)	/* never mapped */

void mmu_init(void);
void mmu_enable(void);
void mmu_window(unsigned int page, uint64_t pa, unsigned int how);
void mmu_table_at(uint64_t pa);		/* for MAP_WINDOW + 2 MiB */
uint64_t ram_top(void);			/* end of the bank the guest runs in */

/* ---- GIC ------------------------------------------------------------ */

#define GICD_CTLR	0x000u
#define GICD_TYPER	0x004u
#define GICD_IIDR	0x008u
#define GICD_IGROUPR	0x080u
#define GICD_ISENABLER	0x100u
#define GICD_ICENABLER	0x180u
#define GICD_ISPENDR	0x200u
#define GICD_ICPENDR	0x280u
#define GICD_ISACTIVER	0x300u
#define GICD_ICACTIVER	0x380u
#define GICD_IPRIORITYR	0x400u
#define GICD_ITARGETSR	0x800u
#define GICD_ICFGR	0xc00u
#define GICD_SGIR	0xf00u
#define GICD_IROUTER	0x6000u

void gic_init(void);			/* distributor, once */
void gic_cpu_init(void);		/* redistributor and CPU interface */
uint64_t gic_bank(unsigned int intid);	/* where GICD_x of intid lives */
uint32_t gic_ack(void);
void gic_eoi(uint32_t iar);
void gic_dir(uint32_t iar);
void gic_pmr(unsigned int mask);
unsigned int gic_rpr(void);
void gic_eoimode(bool split);
unsigned int gic_nr_intids(void);

bool gic_bit(unsigned int intid, unsigned int reg);
void gic_set_bit(unsigned int intid, unsigned int reg);
void gic_priority(unsigned int intid, uint8_t prio);
void gic_route(unsigned int intid, unsigned int cpu);
/* Of a machine without hypervisor: the group that EL1 gets. */
void gic_group1(unsigned int intid);
void gic_config_edge(unsigned int intid, bool edge);

#define gic_enable(i)	gic_set_bit(i, GICD_ISENABLER)
#define gic_disable(i)	gic_set_bit(i, GICD_ICENABLER)
#define gic_pend(i)	gic_set_bit(i, GICD_ISPENDR)
#define gic_unpend(i)	gic_set_bit(i, GICD_ICPENDR)

#define SGI_LIST	0u
#define SGI_OTHERS	1u
#define SGI_SELF	2u
void gic_sgi(unsigned int intid, unsigned int mode, unsigned int cpu_mask);

/* ---- timer ---------------------------------------------------------- */

#define CNT_ENABLE	1u
#define CNT_IMASK	2u
#define CNT_ISTATUS	4u

static inline uint64_t counter(void)
{
	isb();
	return sysreg_read(cntvct_el0);
}

uint64_t us_to_ticks(uint64_t us);
/* By WFI and the virtual timer, interrupts masked; gives how late, in us. */
uint64_t sleep_us(uint64_t us);
void delay_us(uint64_t us);
void pump_us(uint64_t us);		/* the same with IRQs on */

/* ---- QEMU's edu card ------------------------------------------------ */

unsigned int edu_find(void);		/* its function, 0: there is none */
/* The same on a bridge at @ecam; its registers become visible at @memory. */
unsigned int edu_find_at(uint64_t ecam, uint64_t memory);
extern void (*edu_pause)(void);		/* optional: called while it copies */
/* It copies; both are over when they return. It has room for 4096. */
void edu_reads(uint64_t at, uint32_t bytes);
void edu_writes(uint64_t at, uint32_t bytes);
/* Begins as edu_writes() does; it is over after 100 ms. */
void edu_will_write(uint64_t at, uint32_t bytes);
/* Its interrupt is @data, written to @at. False: it has no such thing. */
bool edu_message(uint64_t at, uint32_t data);
/* The same: where 1 is to be written for each; 0: no such thing. */
uint64_t edu_doorbell(uint64_t at, uint32_t data);
void edu_quiet(void);			/* after each */

/* ---- hypervisor ----------------------------------------------------- */

#define PSCI_VERSION		0x84000000u
#define PSCI_CPU_SUSPEND	0xc4000001u
#define PSCI_CPU_OFF		0x84000002u
#define PSCI_CPU_ON		0xc4000003u
#define PSCI_AFFINITY_INFO	0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE	0x84000006u
#define PSCI_SYSTEM_OFF		0x84000008u
#define PSCI_SYSTEM_RESET	0x84000009u
#define PSCI_FEATURES		0x8400000au
#define SMCCC_VERSION		0x80000000u

long hypercall(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3, uint64_t a4);
long smccc_hvc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3);
long smccc_smc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3);

#define PTR(p)		((uint64_t)(uintptr_t)(p))
#define hc1(nr, a)	hypercall(nr, a, 0, 0, 0, 0)
#define hc2(nr, a, p)	hypercall(nr, a, p, 0, 0, 0)
#define hc3(nr, a, p, c) hypercall(nr, a, p, c, 0, 0)

void xen_detect(void);			/* sets machine.bulkhead */
void console_write(const char *s, size_t n);
void pvconsole_find(void);		/* sets machine.console */
void pvconsole_open(void);		/* from now on it is written to */
bool pvconsole_write(const char *s, size_t n);	/* false: there is none */
void pvconsole_batch(bool on);		/* not each line waits to be read */
bool uart_write(const char *s, size_t n);	/* false: there is none */
void __attribute__((noreturn)) power_off(void);

/* ---- C library ------------------------------------------------------ */

void *memcpy(void *d, const void *s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
const char *find(const char *haystack, const char *needle);
int __attribute__((format(printf, 1, 2))) printf(const char *fmt, ...);

/* ---- tests ---------------------------------------------------------- */

struct test {
	const char *name;
	void (*fn)(void);
};

extern const struct test guest_tests[];

void check_failed(const char *file, int line, const char *what,
		  int64_t got, int64_t want, bool values);
bool peer_differs(const char *file, int line, const char *why);

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		check_failed(__FILE__, __LINE__, #cond, 0, 0, false);	\
	}								\
} while (0)

#define EXPECT_EQ(got, want) do {					\
	int64_t got_ = (int64_t)(got);					\
	int64_t want_ = (int64_t)(want);				\
	if (got_ != want_) {						\
		check_failed(__FILE__, __LINE__, #got, got_, want_,	\
			     true);					\
	}								\
} while (0)

/*
 * True when the checks that follow must be left out because the hypervisor
 * is not ours and is known to differ from the architecture; says why.
 */
#define PEER_DIFFERS(why)	peer_differs(__FILE__, __LINE__, why)

#endif
