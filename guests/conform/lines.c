/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, runs of equal results, and single instructions that may fault. */
#include "conform.h"

void line_string(struct line *l, const char *s)
{
	while (*s && l->n < sizeof(l->text) - 2) {
		l->text[l->n++] = *s++;
	}
}

void line_begin(struct line *l, const char *row)
{
	l->n = 0;
	line_string(l, "= ");
	line_string(l, row);
	line_next(l);
}

void line_next(struct line *l)
{
	line_string(l, " | ");
}

void line_end(struct line *l)
{
	l->text[l->n++] = '\n';
	console_write(l->text, l->n);
}

void line_hex(struct line *l, uint64_t v)
{
	char digits[17];
	unsigned int n = sizeof(digits) - 1;

	digits[n] = 0;
	do {
		digits[--n] = "0123456789abcdef"[v % 16];
		v /= 16;
	} while (v);
	line_string(l, &digits[n]);
}

#define ERRNO(name) [name] = "-" #name
static const char *const errnos[] = {
	ERRNO(EPERM), ERRNO(ENOENT), ERRNO(ESRCH), ERRNO(EINTR), ERRNO(EIO),
	ERRNO(ENXIO), [7] = "-E2BIG", ERRNO(EBADF), ERRNO(EAGAIN),
	ERRNO(ENOMEM), ERRNO(EACCES), ERRNO(EFAULT), ERRNO(EBUSY),
	ERRNO(EEXIST), ERRNO(EXDEV), ERRNO(ENODEV), ERRNO(EINVAL),
	ERRNO(ENOSPC), ERRNO(EROFS), ERRNO(ERANGE), ERRNO(ENOSYS),
	ERRNO(ENODATA), ERRNO(ETIME), ERRNO(EOVERFLOW), ERRNO(EOPNOTSUPP),
	ERRNO(ENOBUFS),
};

void line_value(struct line *l, int64_t v)
{
	uint64_t e = -(uint64_t)v;

	if (e < ARRAY_SIZE(errnos) && errnos[e]) {
		line_string(l, errnos[e]);
		return;
	}
	line_hex(l, (uint64_t)v);
}

void say(const char *row, const char *what, int64_t value)
{
	struct line l;

	line_begin(&l, row);
	line_string(&l, what);
	line_next(&l);
	line_value(&l, value);
	line_end(&l);
}

void line_trap(struct line *l, const struct trap *t, bool taken, uint64_t base)
{
	if (!taken) {
		line_string(l, "ok");
		return;
	}
	line_string(l, t->kind % 4 == 3 ? "serror ec " : "fault ec ");
	line_hex(l, ESR_EC(t->esr));
	line_string(l, " iss ");
	line_hex(l, t->esr & 0x1ffffff);
	if (ESR_EC(t->esr) >> 2 == EC_IABT_CUR >> 2 ||
	    ESR_EC(t->esr) >> 2 == EC_DABT_CUR >> 2) {
		line_string(l, " at ");
		line_hex(l, t->far - base);
	}
	if (t->hits != 1) {
		line_string(l, " hits ");
		line_hex(l, t->hits);
	}
}

/* A page alone: emulators translate anew what is written beside code. */
static uint32_t code[PAGE_SIZE / 4] __attribute__((aligned(4096)));
static bool el0;

#define USER_CODE_PAGE	511u
#define USER_CODE	(MAP_WINDOW + USER_CODE_PAGE * PAGE_SIZE)
#define SPSR_EL0_MASKED	UINT64_C(0x3c0)

void run_at_el0(bool yes)
{
	el0 = yes;
	mmu_window(USER_CODE_PAGE, PTR(code),
		   yes ? MAP_RO | MAP_USER : MAP_NONE);
}

/* Back comes whatever exception it ends with, here the SVC behind it. */
static uint64_t jump_el0(uint64_t x0, uint64_t x1)
{
	register uint64_t a asm("x0") = x0;
	register uint64_t b asm("x1") = x1;
	register uint64_t svc asm("x30") = USER_CODE + 3 * sizeof(*code);

	asm volatile("adr x3, 1f\n\tstr x3, [%3]\n\t"
		     "msr elr_el1, %4\n\tmsr spsr_el1, %5\n\tisb\n\t"
		     "eret\n1:"
		     : "+r"(a), "+r"(b), "+r"(svc)
		     : "r"(&this_cpu()->trap.back), "r"(USER_CODE),
		       "r"(SPSR_EL0_MASKED)
		     : "x2", "x3", "memory", "cc");
	return b;
}

/* Of its own: a call between would take the registers. */
static uint64_t jump(uint64_t x0, uint64_t x1)
{
	register uint64_t a asm("x0") = x0;
	register uint64_t b asm("x1") = x1;

	asm volatile("blr %2" : "+r"(a), "+r"(b) : "r"(code)
		     : "x2", "x3", "x30", "memory");
	return b;
}

bool run_insn(uint32_t insn, uint64_t x0, uint64_t *x1, struct trap *t)
{
	if (code[0] != insn) {
		code[0] = insn;
		code[1] = 0xd503201f;	/* NOP: some return one too far */
		code[2] = 0xd65f03c0;	/* RET */
		code[3] = 0xd4000001 | SVC_BACK << 5;
		asm volatile("dc cvau, %0\n\tdsb ish\n\tic iallu\n\t"
			     "dsb ish\n\tisb" :: "r"(code) : "memory");
	}
	trap_arm();
	*x1 = el0 ? jump_el0(x0, *x1) : jump(x0, *x1);
	return !trap_taken(t);
}

void series_begin(struct series *s, const char *row, const char *what,
		  uint64_t step)
{
	s->row = row;
	s->what = what;
	s->step = step;
	s->result[0] = 0;
}

void series_end(struct series *s)
{
	struct line l;

	if (!s->result[0]) {
		return;
	}
	line_begin(&l, s->row);
	line_string(&l, s->what);
	line_string(&l, " ");
	line_hex(&l, s->first);
	if (s->last != s->first) {
		line_string(&l, "+");
		line_hex(&l, s->last - s->first + s->step);
		line_string(&l, "/");
		line_hex(&l, s->step);
	}
	line_next(&l);
	line_string(&l, s->result);
	line_end(&l);
	s->result[0] = 0;
}

void series_add(struct series *s, uint64_t at, const char *result)
{
	size_t n = strlen(result) + 1;

	if (s->result[0] && !memcmp(s->result, result, n) &&
	    at == s->last + s->step) {
		s->last = at;
		return;
	}
	series_end(s);
	memcpy(s->result, result,
	       n < sizeof(s->result) ? n : sizeof(s->result));
	s->result[sizeof(s->result) - 1] = 0;
	s->first = at;
	s->last = at;
}
