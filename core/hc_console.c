/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_io: the hypervisor's console, lent to the hardware domain and to
 * those that were started at boot.
 *
 * Owns    nothing.
 * Not     the UART and the log ring (console.c).
 * Rights  the hardware domain, control domains and those with a console of
 *         their own; -EPERM for others, as in a production build of Xen.
 * Bounds  STEP_BYTES of a write per step, copied out in pieces.
 * Spec    [XEN] xen.h "console_io operations"; docs/abi.md.
 */
#include <hv/hypercall.h>

#include <hv/console.h>
#include <hv/domain.h>
#include <hv/guest_console.h>
#include <lib/bits.h>
#include <lib/errno.h>

#define PIECE_BYTES 128u
/* A slow line needs 90 us a byte; this is at most 46 ms. */
#define STEP_BYTES 512u

static void write_piece(struct domain *d, const char *piece, uint32_t len)
{
	if (d->console) {
		guest_console_write(d, piece, len);
	} else {
		console_write_guest(d, piece, len);
	}
}

static bool is_waiting(const struct domain *d)
{
	return d->console ? guest_console_waiting(d->console) != 0 :
			    console_input_waiting();
}

static int64_t console_write(struct vcpu *v, uint32_t count, uint64_t buf)
{
	uint64_t key = hc_cont_key(__HYPERVISOR_console_io, CONSOLEIO_write,
				   buf, count, 0);
	uint32_t at = (uint32_t)hc_cont_position(v, key);
	uint32_t end;
	char piece[PIECE_BYTES];

	if (buf + count < buf) {
		return -EFAULT;
	}
	at = min_u32(at, count);
	end = at + min_u32(count - at, STEP_BYTES);
	while (at < end) { /* bound: STEP_BYTES */
		uint32_t len = min_u32(end - at, PIECE_BYTES);

		if (guest_copy_in(v, piece, buf + at, len) != 0) {
			hc_cont_end(v);
			return -EFAULT;
		}
		write_piece(v->domain, piece, len);
		at += len;
	}
	if (at < count) {
		return hc_cont_again(v, key, at);
	}
	if (count > STEP_BYTES) {
		hc_cont_end(v);
	}
	return 0;
}

static int64_t console_read(struct vcpu *v, uint32_t count, uint64_t buf)
{
	char piece[PIECE_BYTES];
	struct guest_win w;
	uint32_t len = min_u32(count, PIECE_BYTES);
	uint32_t got;

	if (len == 0 || !is_waiting(v->domain)) {
		return 0;
	}
	/* First make sure that it can be delivered: input is taken once. */
	if (guest_win_open(v, buf, len, HC_OUT, &w) != 0) {
		return -EFAULT;
	}
	got = v->domain->console ? guest_console_read(v->domain, piece, len) :
				   console_read_guest(piece, len);
	got = min_u32(got, len);
	guest_win_write(&w, piece, 0, got);
	guest_win_close(&w);
	return got;
}

int64_t hc_console_io(struct vcpu *v, const uint64_t *args)
{
	uint32_t cmd = (uint32_t)args[0];
	uint32_t count = (uint32_t)args[1];

	if (!v->domain->is_hardware && !v->domain->is_control &&
	    !v->domain->console) {
		return -EPERM;
	}
	if (cmd != CONSOLEIO_write && cmd != CONSOLEIO_read) {
		return -ENOSYS;
	}
	if (cmd == CONSOLEIO_write) {
		return console_write(v, count, args[2]);
	}
	if (count > INT32_MAX) { /* the result could not tell */
		return -E2BIG;
	}
	return console_read(v, count, args[2]);
}
