/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consoles of domains that were started at boot. A domain without the keyboard
 * writes whole lines, so that lines of several never mix; with it, what it
 * writes is seen at once.
 *
 * Owns    d->console.
 * Not     the serial line and who has the keyboard (console.c), nor registers
 *         that a guest sees (the architecture's).
 * Locks   its own (rank GUEST_CONSOLE), not while a line is written out.
 * Bounds  GUEST_LINE characters a line, GUEST_INPUT of input.
 */
#include <hv/guest_console.h>

#include <hv/arch.h>
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/heap.h>
#include <lib/errno.h>
#include <lib/string.h>

int guest_console_init(struct domain *d)
{
	d->console = heap_alloc(d, sizeof(*d->console));
	if (!d->console) {
		return -ENOMEM;
	}
	spin_lock_init(&d->console->lock, LOCK_RANK_GUEST_CONSOLE);
	return 0;
}

void guest_console_fini(struct domain *d)
{
	heap_free(d, d->console);
}

/* What would move the cursor or end the mark of the line is left out. */
static bool is_text(char c)
{
	return (uint8_t)c >= ' ' || c == '\t';
}

/*
 * Take characters from *@buf until a line is complete: to @out, its length.
 * 0: all taken, the line is not complete.
 */
static uint32_t fill_line(struct guest_console *gc, const char **buf,
			  uint32_t *len, char *out)
{
	uint32_t n = 0;

	spin_lock(&gc->lock);
	while (*len && n == 0) { /* bound: GUEST_LINE */
		char c = *(*buf)++;

		(*len)--;
		if (is_text(c)) {
			gc->line[gc->line_len++] = c;
		}
		if (c == '\n' || gc->line_len == GUEST_LINE - 1) {
			n = gc->line_len;
			memcpy(out, gc->line, n);
			out[n++] = '\n';
			gc->line_len = 0;
		}
	}
	spin_unlock(&gc->lock);
	return n;
}

void guest_console_flush(struct domain *d)
{
	struct guest_console *gc = d->console;
	char out[GUEST_LINE];
	uint32_t n;

	spin_lock(&gc->lock);
	n = gc->line_len;
	memcpy(out, gc->line, n);
	gc->line_len = 0;
	spin_unlock(&gc->lock);
	console_write_domain(d, out, n);
}

void guest_console_write(struct domain *d, const char *buf, uint32_t len)
{
	char out[GUEST_LINE];
	uint32_t n;

	if (console_input_is(d)) {
		console_write_domain(d, buf, len);
		return;
	}
	while (len) { /* bound: the caller's piece */
		n = fill_line(d->console, &buf, &len, out);
		console_write_domain(d, out, n);
	}
}

void guest_console_input(struct domain *d, char c)
{
	struct guest_console *gc = d->console;

	spin_lock(&gc->lock);
	if (guest_console_waiting(gc) < GUEST_INPUT) {
		gc->in[gc->in_head++ % GUEST_INPUT] = c;
	}
	arch_uart_update_locked(d);
	spin_unlock(&gc->lock);
}

int guest_console_getc_locked(struct guest_console *gc)
{
	return guest_console_waiting(gc) ?
		       (uint8_t)gc->in[gc->in_tail++ % GUEST_INPUT] :
		       -1;
}

uint32_t guest_console_read(struct domain *d, char *buf, uint32_t len)
{
	struct guest_console *gc = d->console;
	uint32_t n = 0;

	spin_lock(&gc->lock);
	while (n < len && guest_console_waiting(gc)) {
		buf[n++] = (char)guest_console_getc_locked(gc);
	}
	arch_uart_update_locked(d);
	spin_unlock(&gc->lock);
	return n;
}
