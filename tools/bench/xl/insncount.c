// SPDX-License-Identifier: Apache-2.0
/*
 * A QEMU plugin that counts executed instructions, all and those of the
 * hypervisor, and writes both counts down whenever a guest executes a mark.
 *
 * usage    -plugin insncount.so,out=FILE,low=ADDRESS,high=ADDRESS
 *          The hypervisor is what runs at virtual addresses low to high.
 * marks    HINT #(MARK_FIRST + n), a no-operation to every CPU, is mark n: it
 *          traps nowhere. The first instruction of an arm64 Image is
 *          mark ENTRY: it stands nowhere else.
 * output   "MARK n ALL HYPERVISOR", then one "AT address instructions runs"
 *          for each block of the hypervisor that ran since the mark before.
 * error    An exception in the middle of a block counts the whole block.
 *          One CPU at a time (-icount), so nothing is locked.
 *
 * QEMU's plugin interface is declared here: Debian has no package of its
 * header. Version 3 is QEMU 9.1's.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK_FIRST 96u
#define MARKS 16u
#define ENTRY 99u
#define HINT_OP 0xd503201fu
#define HINT_NUMBER(op) (((op) >> 5) & 0x7fu)
#define IMAGE_FIRST_OP 0xfa405a4du

typedef uint64_t plugin_id;
struct plugin_tb;
struct plugin_insn;
typedef void (*exec_cb)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct plugin_tb *tb, exec_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct plugin_insn *insn, exec_cb cb, int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct plugin_tb *tb);
struct plugin_insn *qemu_plugin_tb_get_insn(const struct plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_data(const struct plugin_insn *insn, void *to, size_t size);

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

int qemu_plugin_version = 3;

/* A translated block of the hypervisor. Never freed: QEMU may translate again. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t insns;
	uint64_t runs; /* since the last mark */
};

static FILE *out;
static uint64_t low;
static uint64_t high;
static struct block *blocks;
static uint64_t all;
static uint64_t hypervisor;

static void run_guest(unsigned int vcpu, void *insns)
{
	(void)vcpu;
	all += (uintptr_t)insns;
}

static void run_hypervisor(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	all += block->insns;
	hypervisor += block->insns;
	block->runs++;
}

static void run_mark(unsigned int vcpu, void *number)
{
	struct block *block;

	(void)vcpu;
	fprintf(out, "MARK %u %" PRIu64 " %" PRIu64 "\n", (unsigned int)(uintptr_t)number, all, hypervisor);
	for (block = blocks; block; block = block->next) {
		if (block->runs)
			fprintf(out, "AT %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", block->address, block->runs * block->insns,
				block->runs);
		block->runs = 0;
	}
	fflush(out);
}

static void mark_insn(struct plugin_insn *insn)
{
	uint32_t op = 0;
	uintptr_t number;

	qemu_plugin_insn_data(insn, &op, sizeof(op));
	if (op == IMAGE_FIRST_OP)
		number = ENTRY;
	else if ((op & ~(0x7fu << 5)) == HINT_OP && HINT_NUMBER(op) - MARK_FIRST < MARKS)
		number = HINT_NUMBER(op) - MARK_FIRST;
	else
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, run_mark, 0, (void *)number);
}

static void translate(plugin_id id, struct plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb);
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	struct block *block;
	size_t i;

	(void)id;
	if (address < low || address >= high) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, run_guest, 0, (void *)(uintptr_t)insns);
		for (i = 0; i < insns; i++)
			mark_insn(qemu_plugin_tb_get_insn(tb, i));
		return;
	}
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->insns = insns;
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, run_hypervisor, 0, block);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "low=", 4))
			low = strtoull(argv[i] + 4, NULL, 0);
		else if (!strncmp(argv[i], "high=", 5))
			high = strtoull(argv[i] + 5, NULL, 0);
	}
	if (!out || high <= low)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
