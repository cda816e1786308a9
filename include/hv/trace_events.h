/* SPDX-License-Identifier: Apache-2.0 */
/* Trace events: X(name, format of a, b, c). The decoder is made from this. */
#ifndef HV_TRACE_EVENTS_H
#define HV_TRACE_EVENTS_H

#define TRACE_EVENTS(X)                                                       \
	X(NONE, "")                                                           \
	X(SCHED_RUN, "dom=%u vcpu=%llu from=%llu")                            \
	X(GUEST_ABORT, "dom=%u ipa=%#llx esr=%#llx")                          \
	X(GUEST_UNDEF, "dom=%u pc=%#llx esr=%#llx")                           \
	X(HC_REFUSED, "dom=%u nr=%llu rc=%lld")                               \
	X(IRQ_SPURIOUS, "intid=%u")                                           \
	/* What trace buffers record, a TRC_* of Xen; with trace_all. */      \
	X(XEN, "event=%#x w01=%#llx w23=%#llx")

#define TRACE_ENUM(name, fmt) TRACE_##name,
enum trace_event { TRACE_EVENTS(TRACE_ENUM) NR_TRACE_EVENTS };

#endif
