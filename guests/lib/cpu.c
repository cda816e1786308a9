/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions, interrupts and other CPUs. A test arms the trap recorder of its
 * CPU around an access that must fault; anything else unexpected ends the
 * guest with FAIL.
 */
#include "guest.h"

#define STACK_SIZE 16384
#define SPSR_EL1H_MASKED 0x3c5u
#define KIND_SYNC 4u
#define KIND_IRQ 5u
#define KIND_SERROR 7u
#define FROM_EL0 4u		/* added to a kind */

extern const char _start[];

struct cpu cpus[MAX_CPUS];
void (*irq_hook)(unsigned int intid);
static uint8_t stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));

void trap_arm(void)
{
	struct trap *t = &this_cpu()->trap;

	t->hits = 0;
	t->armed = true;
	asm volatile("" ::: "memory");
}

bool trap_taken(struct trap *t)
{
	struct trap *mine = &this_cpu()->trap;

	dsb();
	isb();
	mine->armed = false;
	if (t) {
		*t = *mine;
	}
	return mine->hits != 0;
}

static void take_irq(void)
{
	struct cpu *c = this_cpu();
	uint32_t iar = gic_ack();
	uint32_t mask = machine.gic_version == 3 ? 0xffffff : 0x3ff;
	unsigned int intid = iar & mask;

	if (intid >= LPI_FIRST && irq_hook) {
		irq_hook(intid);
		gic_eoi(iar);
		return;
	}
	if (intid >= MAX_INTID) {
		return;
	}
	c->last_irq = intid;
	c->irqs++;
	c->irq_count[intid]++;
	if (irq_hook) {
		irq_hook(intid);
	} else if (intid == machine.intid_vtimer) {
		sysreg_write(cntv_ctl_el0, CNT_ENABLE | CNT_IMASK);
	} else if (intid == machine.intid_ptimer) {
		sysreg_write(cntp_ctl_el0, CNT_ENABLE | CNT_IMASK);
	}
	isb();
	gic_eoi(iar);
}

static void die(struct frame *f, unsigned int kind)
{
	printf("FAIL unexpected exception cpu %u vector %u ESR %lx FAR %lx "
	       "PC %lx (image+%lx)\nGUEST FAIL 1\n", this_cpu()->id, kind,
	       sysreg_read(esr_el1), sysreg_read(far_el1), f->elr,
	       f->elr - PTR(_start));
	power_off();
}

static void record(struct trap *t, const struct frame *f, unsigned int kind)
{
	t->hits++;
	t->kind = kind;
	t->esr = sysreg_read(esr_el1);
	t->far = sysreg_read(far_el1);
	t->elr = f->elr;
}

/* Whatever it was: back to EL1, the registers as they are. */
static void leave_el0(struct trap *t, struct frame *f, unsigned int kind)
{
	uint64_t esr = sysreg_read(esr_el1);

	if (ESR_EC(esr) != EC_SVC64 || (esr & 0xffff) != SVC_BACK) {
		record(t, f, kind);
	}
	f->elr = t->back;
	f->spsr = SPSR_EL1H_MASKED;
}

static void step_over(struct frame *f, unsigned int class)
{
	switch (class) {
	case EC_IABT_CUR:
		f->elr = f->x[30];	/* a call: go back to the caller */
		break;
	case EC_SVC64:			/* already past it */
		break;
	default:
		f->elr += 4;
	}
}

void exception(struct frame *f, unsigned int kind)
{
	struct trap *t = &this_cpu()->trap;

	if (kind == KIND_IRQ) {
		take_irq();
		return;
	}
	if (!t->armed) {
		die(f, kind);
	}
	switch (kind) {
	case KIND_SYNC + FROM_EL0:
		leave_el0(t, f, kind);
		return;
	case KIND_SYNC:
		record(t, f, kind);
		step_over(f, ESR_EC(t->esr));
		return;
	case KIND_SERROR:
	case KIND_SERROR + FROM_EL0:
		record(t, f, kind);
		return;
	default:
		die(f, kind);
	}
}

void irq_counts_clear(void)
{
	struct cpu *c = this_cpu();

	memset(c->irq_count, 0, sizeof(c->irq_count));
	c->irqs = 0;
	c->last_irq = MAX_INTID;
}

bool wait_count(const volatile unsigned int *count, unsigned int n)
{
	uint64_t end = counter() + us_to_ticks(HANG_US);

	irq_on();
	while (*count < n && counter() < end) {
		asm volatile("yield" ::: "memory");
	}
	irq_off();
	return *count >= n;
}

bool irq_wait(unsigned int intid, unsigned int n)
{
	return wait_count(&this_cpu()->irq_count[intid], n);
}

static void cpu_setup(struct cpu *c)
{
	sysreg_write(tpidr_el1, PTR(c));
	isb();
}

int cpu_start(unsigned int id)
{
	struct cpu *c = &cpus[id];

	c->stack_end = PTR(stacks[id]) + STACK_SIZE;
	c->id = id;
	c->fn = NULL;
	__atomic_store_n(&c->online, false, __ATOMIC_SEQ_CST);
	dsb();
	/* It starts with its caches off and reads its stack pointer. */
	asm volatile("dc civac, %0\n\tdsb sy" :: "r"(c) : "memory");
	return (int)smccc_hvc(PSCI_CPU_ON, machine.mpidr[id],
			      PTR(secondary_entry), PTR(c));
}

void secondary_start(struct cpu *c)
{
	void (*fn)(void *);

	mmu_enable();
	c->context = PTR(c);
	cpu_setup(c);
	gic_cpu_init();
	__atomic_store_n(&c->online, true, __ATOMIC_SEQ_CST);
	for (;;) {
		fn = __atomic_load_n(&c->fn, __ATOMIC_ACQUIRE);
		if (!fn) {
			asm volatile("yield");
			continue;
		}
		fn(c->arg);
		__atomic_store_n(&c->fn, NULL, __ATOMIC_RELEASE);
	}
}

/* Hand work to another CPU; it runs it as soon as it polls. */
void cpu_run(unsigned int id, void (*fn)(void *), void *arg)
{
	cpus[id].arg = arg;
	__atomic_store_n(&cpus[id].fn, fn, __ATOMIC_RELEASE);
}

bool cpu_wait(unsigned int id)
{
	uint64_t end = counter() + us_to_ticks(2 * HANG_US);

	while (__atomic_load_n(&cpus[id].fn, __ATOMIC_ACQUIRE)) {
		if (counter() > end) {
			return false;
		}
		asm volatile("yield");
	}
	return true;
}

bool cpu_call(unsigned int id, void (*fn)(void *), void *arg)
{
	cpu_run(id, fn, arg);
	return cpu_wait(id);
}

void cpu_park(void)
{
	irq_off();
	smccc_hvc(PSCI_CPU_OFF, 0, 0, 0);
}

uint64_t us_to_ticks(uint64_t us)
{
	return us * sysreg_read(cntfrq_el0) / 1000000;
}

uint64_t sleep_us(uint64_t us)
{
	uint64_t until = counter() + us_to_ticks(us);

	sysreg_write(cntv_cval_el0, until);
	sysreg_write(cntv_ctl_el0, CNT_ENABLE);
	while (counter() < until) {
		wfi();		/* wakes with the interrupt pending */
	}
	until = counter() - until;
	irq_on();
	isb();
	irq_off();
	return until * 1000000 / sysreg_read(cntfrq_el0);
}

void delay_us(uint64_t us)
{
	uint64_t end = counter() + us_to_ticks(us);

	while (counter() < end) {
		asm volatile("yield");
	}
}

void pump_us(uint64_t us)
{
	irq_on();
	delay_us(us);
	irq_off();
}

void run_tests(void);

void guest_start(const void *fdt, uint64_t ticks)
{
	cpu_setup(&cpus[0]);
	if (platform_read(fdt)) {
		printf("FAIL device tree\nGUEST FAIL 1\n");
		power_off();
	}
	machine.boot_ticks = ticks;
	if (!machine.native) {
		xen_detect();
		pvconsole_find();
	}
	mmu_init();
	mmu_enable();
	pvconsole_open();
	gic_init();
	gic_cpu_init();
	cpus[0].online = true;
	run_tests();
	power_off();
}
