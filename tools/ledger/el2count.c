// SPDX-License-Identifier: Apache-2.0
/*
 * A QEMU plugin that counts the instructions of every stretch at EL2, one by
 * one, and says what each stretch was for.
 *
 * usage    -plugin el2count.so,out=FILE,low=A,high=A,vectors=A,work=A,
 *                  vcpu_work=OFFSET,pcpu_work=OFFSET[,iar=A]
 *          iar is the physical address of a GICv2's GICC_IAR.
 *          EL2 is what runs at virtual addresses low to high: the image,
 *          which is linked where no guest of the ledger maps anything. A
 *          stretch that does not end with ERET or WFI would show that this
 *          is wrong; they are counted ("LOST").
 * stretch  From the first instruction of a vector that guests enter to the
 *          ERET, both included. A CPU that idles is ready for an interrupt at
 *          each WFI: there a stretch ends and the next one, a wake-up, begins.
 *          EL2 never unmasks interrupts otherwise, so the longest stretch is
 *          the longest time that an interrupt waits.
 * work     The part of a stretch behind the label guest_exit_slow (work=),
 *          by the work bits that were posted when it was reached.
 * marks    HINT #(96 + n), a no-operation to every CPU, is mark n.
 * output   At each mark and at the end, what came since the mark before:
 *            GUEST n, EL2 n      instructions, all CPUs
 *            PATH kind a b end instructions times
 *          kind: sync/irq/fiq/serror by the vector, wake, work. For sync, a is
 *          the exception class and b what identifies the operation, see
 *          identify(); for irq and wake, a is the first INTID acknowledged;
 *          for work, the bits of vCPU and CPU. end: ret (the same vCPU goes
 *          on), switch (another one), idle.
 *          Then "MARK n".
 * error    Guest instructions are counted by blocks: one that an exception
 *          ends early counts whole. Instructions of EL2 are counted singly.
 *          One CPU at a time (-icount), so nothing is locked.
 *
 * QEMU's plugin interface is declared here: Debian has no package of its
 * header. Version 4 is QEMU 10's.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_CPUS 8u
#define NR_KEYS (1u << 18) /* of the hash table; a run has a few thousand */
#define MARK_FIRST 96u
#define MARKS 16u

#define OP_ERET 0xd69f03e0u
#define OP_WFI 0xd503207fu
#define OP_HINT 0xd503201fu
#define HINT_NUMBER(op) (((op) >> 5) & 0x7fu)
#define IS_HINT(op) (((op) & ~(0x7fu << 5)) == OP_HINT)
#define IS_HVC(op) (((op)&0xffe0001fu) == 0xd4000002u)
#define IS_READ_IAR1(op) (((op) & ~31u) == 0xd538cc00u) /* MRS Xt, ICC_IAR1_EL1 */
#define IS_LDR_WORD(op) (((op)&0xffc00000u) == 0xb9400000u) /* LDR Wt, [Xn, #offset] */
#define IAR_INTID 0x3ffu

#define EC_WFX 0x01u
#define EC_HVC64 0x16u
#define EC_SMC64 0x17u
#define EC_SYS64 0x18u
#define EC_DABT_LOWER 0x24u
#define XEN_HVC 0xea1u
#define ISS_SYS64_RT (31u << 5)

/* Hypercalls whose operation is the first word of the structure at x0. */
#define HC_PLATFORM_OP 7u
#define HC_SYSCTL 35u
#define HC_DOMCTL 36u

/* ---- QEMU's side */

typedef uint64_t plugin_id;
struct plugin_tb;
struct plugin_insn;
struct plugin_register;
typedef struct {
	struct plugin_register *handle;
	const char *name;
	const char *feature;
} reg_desc;
typedef struct {
	char *data;
	unsigned int len;
} GArray;
typedef struct {
	uint8_t *data;
	unsigned int len;
} GByteArray;
typedef void (*exec_cb)(unsigned int vcpu, void *data);
enum { CB_NO_REGS, CB_R_REGS };
enum { MEM_READ = 1 };
typedef uint32_t mem_info;
struct plugin_hwaddr;
typedef struct {
	int size; /* 2 to its power, bytes */
	union {
		uint32_t u32;
		uint64_t u128[2];
	} data;
} mem_value;
typedef void (*mem_cb)(unsigned int vcpu, mem_info info, uint64_t address, void *data);

GByteArray *g_byte_array_new(void);
GByteArray *g_byte_array_set_size(GByteArray *array, unsigned int size);
void qemu_plugin_register_vcpu_init_cb(plugin_id id, void (*cb)(plugin_id id, unsigned int vcpu));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct plugin_tb *tb));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id id, void *data), void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct plugin_insn *insn, exec_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct plugin_tb *tb, exec_cb cb, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);
struct plugin_insn *qemu_plugin_tb_get_insn(const struct plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct plugin_insn *insn, void *to, size_t size);
GArray *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct plugin_register *handle, GByteArray *to);
void qemu_plugin_register_vcpu_mem_cb(struct plugin_insn *insn, mem_cb cb, int flags, int rw, void *data);
struct plugin_hwaddr *qemu_plugin_get_hwaddr(mem_info info, uint64_t address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct plugin_hwaddr *address);
mem_value qemu_plugin_mem_get_value(mem_info info);
bool qemu_plugin_read_memory_vaddr(uint64_t address, GByteArray *to, size_t size);

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

int qemu_plugin_version = 4;

/* ---- what is known of each CPU */

enum reg { REG_SP = 31, REG_ESR, REG_FAR, REG_HPFAR, REG_TPIDR, NR_REGS };
enum kind { SYNC, IRQ, FIQ, SERROR, WAKE, WORK };
enum end { RETURN, SWITCH, IDLE };

static const char *const kind_names[] = { "sync", "irq", "fiq", "serror", "wake", "work" };
static const char *const end_names[] = { "ret", "switch", "idle" };

struct key {
	uint64_t a;
	uint64_t b;
	uint64_t insns;
	uint32_t kind;
	uint32_t end;
};

struct cpu {
	uint64_t id;		/* TPIDR_EL2: the address of its struct pcpu */
	uint64_t insns;		/* executed at EL2 */
	bool inside;		/* in a stretch */
	bool working;		/* behind guest_exit_slow in it */
	bool acked;		/* key has an INTID */
	uint64_t start;		/* insns when it began */
	uint64_t work_start;
	uint64_t vcpu;		/* the hypervisor's struct vcpu that ran last */
	uint64_t hypercall;	/* what the guest's last HVC asked for */
	uint64_t operation;
	struct key key;
	struct key work_key;
};

static FILE *out;
static uint64_t low, high, vectors, work, vcpu_work, pcpu_work, iar;
static struct plugin_register *regs[NR_REGS]; /* numbers, the same for all CPUs */
static uint64_t el2_insns, guest_insns, lost; /* since the last mark */
static struct cpu cpus[MAX_CPUS];
static struct cpu *cpu; /* that runs */
static struct {
	struct key key;
	uint64_t times;
} table[NR_KEYS];

static uint64_t read_reg(unsigned int reg)
{
	static GByteArray *bytes;
	uint64_t value = 0;

	if (!bytes)
		bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, 0);
	if (!regs[reg] || qemu_plugin_read_register(regs[reg], bytes) < 8) {
		fprintf(stderr, "el2count: QEMU gives no register %u\n", reg);
		exit(1);
	}
	memcpy(&value, bytes->data, sizeof(value));
	return value;
}

/* The word at @address of who runs; all ones when nothing is mapped there. */
static uint32_t read_word(uint64_t address)
{
	static GByteArray *bytes;
	uint32_t value = UINT32_MAX;

	if (!bytes)
		bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, 0);
	if (qemu_plugin_read_memory_vaddr(address, bytes, sizeof(value)))
		memcpy(&value, bytes->data, sizeof(value));
	return value;
}

static void count(const struct key *key)
{
	uint64_t hash = (key->a * 31 + key->b) * 31 + key->insns * 127 + key->kind * 7 + key->end;
	uint32_t tries;

	hash *= UINT64_C(0x9e3779b97f4a7c15);
	for (tries = 0; tries < NR_KEYS; tries++) {
		uint32_t i = (uint32_t)(hash >> 40) + tries;

		i %= NR_KEYS;
		if (!table[i].times)
			table[i].key = *key;
		if (!memcmp(&table[i].key, key, sizeof(*key))) {
			table[i].times++;
			return;
		}
	}
	fprintf(stderr, "el2count: the table is full\n");
	exit(1);
}

/*
 * Before each block. QEMU's callbacks name the CPU that translated the block,
 * which is another one when CPUs take turns in one thread: so ours is looked
 * for by a register.
 */
static void find_cpu(void)
{
	uint64_t id = read_reg(REG_TPIDR);

	for (cpu = cpus; cpu->id != id; cpu++) {
		if (cpu == &cpus[MAX_CPUS - 1]) {
			fprintf(stderr, "el2count: more than %u CPUs\n", MAX_CPUS - 1);
			exit(1);
		}
		if (!cpu[1].id)
			cpu[1].id = id;
	}
}

/* ---- stretches */

static void begin(struct cpu *c, enum kind kind)
{
	c->inside = true;
	c->working = false;
	c->acked = false;
	c->start = c->insns;
	memset(&c->key, 0, sizeof(c->key));
	c->key.kind = kind;
}

static void finish(struct cpu *c, enum end end)
{
	if (!c->inside)
		return;
	c->inside = false;
	c->key.end = end;
	c->key.insns = c->insns - c->start;
	count(&c->key);
	if (c->working) {
		c->work_key.end = end;
		c->work_key.insns = c->insns - c->work_start;
		count(&c->work_key);
	}
}

/* What a synchronous trap is for: exception class, and within it ... */
static void identify(struct cpu *c)
{
	uint64_t esr = read_reg(REG_ESR);
	uint32_t iss = esr & 0x1ffffff;

	c->key.a = esr >> 26 & 63;
	switch (c->key.a) {
	case EC_WFX: /* ... WFI, WFE */
		c->key.b = iss & 3;
		break;
	case EC_HVC64: /* ... hypercall << 32 | operation, or the SMCCC function */
		c->key.b = (iss & 0xffff) == XEN_HVC ? UINT64_C(1) << 63 | c->hypercall << 32 | c->operation : read_reg(0) & UINT32_MAX;
		break;
	case EC_SMC64:
		c->key.b = read_reg(0) & UINT32_MAX;
		break;
	case EC_SYS64: /* ... the register and the direction, as in ISS */
		c->key.b = iss & ~ISS_SYS64_RT;
		break;
	case EC_DABT_LOWER: /* ... address << 1 | write */
		c->key.b = (read_reg(REG_HPFAR) >> 4 << 12 | (read_reg(REG_FAR) & 0xfff)) << 1 | (iss >> 6 & 1);
		break;
	}
}

static void on_vector(unsigned int vcpu, void *kind)
{
	struct cpu *c = cpu;

	(void)vcpu;
	lost += c->inside;
	begin(c, (enum kind)(uintptr_t)kind);
	c->vcpu = read_reg(REG_SP);
	if (c->key.kind == SYNC)
		identify(c);
}

static void on_eret(unsigned int vcpu, void *unused)
{
	struct cpu *c = cpu;
	uint64_t next = read_reg(REG_SP);

	(void)vcpu;
	(void)unused;
	finish(c, next == c->vcpu ? RETURN : SWITCH);
	c->vcpu = next;
}

static void on_wfi(unsigned int vcpu, void *unused)
{
	struct cpu *c = cpu;

	(void)vcpu;
	(void)unused;
	finish(c, IDLE);
	begin(c, WAKE);
}

static void acked(struct cpu *c, uint64_t intid)
{
	if (!c->inside || c->acked || (c->key.kind != IRQ && c->key.kind != WAKE))
		return;
	c->acked = true;
	c->key.a = intid;
}

/* GICv3: behind the instruction that acknowledged an interrupt; @reg has its INTID. */
static void on_acked(unsigned int vcpu, void *reg)
{
	(void)vcpu;
	acked(cpu, read_reg((unsigned int)(uintptr_t)reg) & 0xffffff);
}

/* GICv2: a load, perhaps the one that acknowledges. */
static void on_load(unsigned int vcpu, mem_info info, uint64_t address, void *unused)
{
	struct plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, address);

	(void)vcpu;
	(void)unused;
	if (at && qemu_plugin_hwaddr_phys_addr(at) == iar)
		acked(cpu, qemu_plugin_mem_get_value(info).data.u32 & IAR_INTID);
}

/* guest_exit_slow: x19 is the vCPU, x20 the CPU. */
static void on_work(unsigned int vcpu, void *unused)
{
	struct cpu *c = cpu;

	(void)vcpu;
	(void)unused;
	if (!c->inside)
		return; /* the end of boot */
	c->working = true;
	c->work_start = c->insns;
	memset(&c->work_key, 0, sizeof(c->work_key));
	c->work_key.kind = WORK;
	c->work_key.a = read_word(read_reg(19) + vcpu_work);
	c->work_key.b = read_word(read_reg(20) + pcpu_work);
}

/* A guest's HVC, before it traps: its memory can still be read as it sees it. */
static void on_hvc(unsigned int vcpu, void *unused)
{
	uint64_t number = read_reg(16) & UINT32_MAX;
	uint64_t x0 = read_reg(0);

	(void)vcpu;
	(void)unused;
	find_cpu();
	cpu->hypercall = number & 0x7fffffff;
	cpu->operation = x0 & UINT32_MAX;
	if (number == HC_PLATFORM_OP || number == HC_SYSCTL || number == HC_DOMCTL)
		cpu->operation = read_word(x0);
}

static void on_guest_block(unsigned int vcpu, void *insns)
{
	(void)vcpu;
	guest_insns += (uintptr_t)insns;
}

static void on_el2_block(unsigned int vcpu, void *unused)
{
	(void)vcpu;
	(void)unused;
	find_cpu();
}

static void on_el2_insn(unsigned int vcpu, void *unused)
{
	(void)vcpu;
	(void)unused;
	el2_insns++;
	cpu->insns++;
}

/* ---- output */

static void tell(void)
{
	uint32_t i;

	fprintf(out, "GUEST %" PRIu64 "\nEL2 %" PRIu64 "\nLOST %" PRIu64 "\n", guest_insns, el2_insns, lost);
	guest_insns = el2_insns = lost = 0;
	for (i = 0; i < NR_KEYS; i++) {
		const struct key *key = &table[i].key;

		if (table[i].times)
			fprintf(out, "PATH %s %" PRIx64 " %" PRIx64 " %s %" PRIu64 " %" PRIu64 "\n", kind_names[key->kind], key->a,
				key->b, end_names[key->end], key->insns, table[i].times);
	}
	memset(table, 0, sizeof(table));
}

static void on_mark(unsigned int vcpu, void *number)
{
	(void)vcpu;
	tell();
	fprintf(out, "MARK %u\n", (unsigned int)(uintptr_t)number);
	fflush(out);
}

static void on_exit_of_qemu(plugin_id id, void *unused)
{
	(void)id;
	(void)unused;
	tell();
	fprintf(out, "END\n");
	fclose(out);
}

/* ---- translation */

static void translate_guest(struct plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_guest_block, CB_NO_REGS, (void *)(uintptr_t)n);
	for (i = 0; i < n; i++) {
		struct plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t op = 0;

		qemu_plugin_insn_data(insn, &op, sizeof(op));
		if (IS_HVC(op))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_hvc, CB_R_REGS, NULL);
		else if (IS_HINT(op) && HINT_NUMBER(op) - MARK_FIRST < MARKS)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS,
							       (void *)(uintptr_t)(HINT_NUMBER(op) - MARK_FIRST));
	}
}

/* Callbacks in front of an instruction's own count begin something, those behind it end something. */
static void translate_el2(struct plugin_insn *insn, uint32_t op, uint32_t before)
{
	uint64_t at = qemu_plugin_insn_vaddr(insn), slot = (at - vectors) / 0x80;

	if (at == work)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_work, CB_R_REGS, NULL);
	if (at >= vectors && at < vectors + 0x800 && slot >= 8 && !((at - vectors) % 0x80))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_vector, CB_R_REGS, (void *)(uintptr_t)(slot % 4));
	if (IS_READ_IAR1(before))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_acked, CB_R_REGS, (void *)(uintptr_t)(before & 31));
	if (iar && IS_LDR_WORD(op))
		qemu_plugin_register_vcpu_mem_cb(insn, on_load, CB_NO_REGS, MEM_READ, NULL);
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_el2_insn, CB_NO_REGS, NULL);
	if (op == OP_ERET)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_eret, CB_R_REGS, NULL);
	if (op == OP_WFI)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_wfi, CB_NO_REGS, NULL);
}

static void translate(plugin_id id, struct plugin_tb *tb)
{
	uint64_t at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	uint32_t before;

	(void)id;
	if (at < low || at >= high) {
		translate_guest(tb);
		return;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_el2_block, CB_R_REGS, NULL);
	before = read_word(at - 4); /* a read of IAR1 ends a block */
	for (i = 0; i < n; i++) {
		struct plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t op = 0;

		qemu_plugin_insn_data(insn, &op, sizeof(op));
		translate_el2(insn, op, before);
		before = op;
	}
}

static void find_registers(plugin_id id, unsigned int vcpu)
{
	static const char *const names[NR_REGS] = { [REG_SP] = "sp", [REG_ESR] = "ESR_EL2", [REG_FAR] = "FAR_EL2",
						    [REG_HPFAR] = "HPFAR_EL2", [REG_TPIDR] = "TPIDR_EL2" };
	GArray *list = qemu_plugin_get_registers();
	const reg_desc *desc = (const reg_desc *)(const void *)list->data;
	unsigned int i, reg;
	char x[4];

	(void)id;
	(void)vcpu;
	for (i = 0; i < list->len; i++) {
		for (reg = 0; reg < NR_REGS; reg++) {
			snprintf(x, sizeof(x), "x%u", reg);
			if (!strcmp(desc[i].name, names[reg] ? names[reg] : x))
				regs[reg] = desc[i].handle;
		}
	}
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	static const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = { { "low=", &low },   { "high=", &high },		  { "vectors=", &vectors },
			{ "work=", &work }, { "vcpu_work=", &vcpu_work }, { "pcpu_work=", &pcpu_work },
			{ "iar=", &iar } };
	int i;
	size_t n;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		for (n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
			if (!strncmp(argv[i], numbers[n].name, strlen(numbers[n].name)))
				*numbers[n].value = strtoull(argv[i] + strlen(numbers[n].name), NULL, 0);
		}
	}
	if (!out || high <= low || !vectors || !work)
		return -1;
	qemu_plugin_register_vcpu_init_cb(id, find_registers);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
