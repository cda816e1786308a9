/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace buffers that the control domain reads with xentrace: one per CPU, in
 * Xen's record format, off until it asks for them.
 */
#ifndef HV_TRACEBUF_H
#define HV_TRACEBUF_H

#include <lib/types.h>
#include <abi/xen.h>

struct page;
struct pcpu;
struct vcpu;

/*
 * A record of this CPU: TRC_* @event, now, and @nr <= 7 words; nothing when it
 * is not wanted. It is counted as lost when the reader has left no room.
 */
void tracebuf_write(uint32_t event, const uint32_t *words, unsigned int nr);
void tracebuf_hypercall(uint64_t nr, uint64_t arg);
/*
 * PWORK_TRACE, own CPU: other events are wanted, or the buffer fills up. True:
 * the scheduler's are wanted, which sched_trace() begins or ends.
 */
bool tracebuf_work(struct pcpu *c);
void sched_trace(struct pcpu *c, bool on);
/* How often tracing was turned on; control_lock writes, atomic. */
extern uint32_t tracebuf_nr;
/*
 * A page of the buffers by frame number, with a reference, or NULL. The
 * reader may write where it is with its reading, but not the list of pages.
 */
struct page *tracebuf_page_get(mfn_t m, bool *writable);

#endif
