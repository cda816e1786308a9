/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance guest: one line for each thing it tries,
 *	= row | case | result
 * which tools/conformance/conformance.py compares with the lines of another
 * hypervisor. A row is named as the public header or the architecture calls
 * it. What differs from run to run by nature (addresses, times, free memory)
 * is left out here, where the case is written, with the reason beside it.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include "guest.h"

/* ---- lines ---------------------------------------------------------- */

struct line {
	char text[440];
	unsigned int n;
};

void line_begin(struct line *l, const char *row);
void line_string(struct line *l, const char *s);
void line_hex(struct line *l, uint64_t v);
void line_value(struct line *l, int64_t v);	/* -ERRNO by its name */
void line_next(struct line *l);			/* the next column */
void line_end(struct line *l);

/* A line whose case is a word and whose result is a return value. */
void say(const char *row, const char *what, int64_t value);

/* ---- faults --------------------------------------------------------- */

/* "ok", or vector, class, syndrome and, when it has one, address - base. */
void line_trap(struct line *l, const struct trap *t, bool taken,
	       uint64_t base);
/* Runs one instruction with x0 and x1; false when it faulted. */
bool run_insn(uint32_t insn, uint64_t x0, uint64_t *x1, struct trap *t);
void run_at_el0(bool yes);	/* from now on; with pages 510, 511 */

/* ---- runs of equal results ------------------------------------------ */

/*
 * Neighbours with one result make one line whose case is
 * "what first+bytes/step"; conformance.py takes it apart again.
 */
struct series {
	const char *row;
	const char *what;
	uint64_t first;
	uint64_t last;
	uint64_t step;
	char result[80];
};

void series_begin(struct series *s, const char *row, const char *what,
		  uint64_t step);
void series_add(struct series *s, uint64_t at, const char *result);
void series_end(struct series *s);

/* ---- hypercalls ----------------------------------------------------- */

#define NO_PTR	9u		/* the operation takes no pointer */
#define SELF	((uint64_t)DOMID_SELF)
#define NODOM	UINT64_C(0x7f00)
#define HI(x)	((uint64_t)(x) << 32)
/* Inside a structure, replaced before the call: */
#define BUF	UINT64_C(0xb0f0000000000001) /* address of a page */
#define GFN	UINT64_C(0xb0f0000000000002) /* a page of RAM nobody uses */
#define WILD	(UINT64_C(1) << 60)	/* no address at all */
#define NR_IN	6u

struct call_case {
	const char *row;
	uint8_t nr;		/* of the hypercall */
	uint8_t ptr;		/* which argument is the pointer */
	bool loud;		/* tried once, with a bad pointer: it would
				 * print, or end the domain */
	uint32_t hide;		/* bit n: word n of the answer is left out */
	uint64_t a[3];		/* arguments; a[ptr] is not used */
	uint64_t in[NR_IN];	/* what the pointer points to, then zeroes */
};

void run_calls(const struct call_case *c, unsigned int n);

/* The sections, in the order they run in. */
void conform_firmware(void);
void conform_sysregs(void);
void conform_faults(void);
void conform_el0(void);
void conform_sysregs_el0(void);
void conform_faults_el0(void);
void conform_gic(void);
void conform_numbers(void);
void conform_guest_calls(void);
void conform_control_calls(void);
void conform_stories(void);

void conform_end(void);	/* does not come back */

#endif
