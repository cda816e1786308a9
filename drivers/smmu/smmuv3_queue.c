/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUv3: the command queue and the event queue.
 *
 * Owns    both queues' memory and indexes.
 * Rule    each operation ends with CMD_SYNC and waits for it: nothing that
 *         was to be forgotten is in use when it returns. So the queue never
 *         holds more than three commands.
 * Locks   the unit's, held by the caller.
 * Bounds  SMMU_POLLS reads of a register, after which the unit is given up;
 *         EVENTS_A_CALL records.
 * Spec    [SMMU] 3.5 "Command and Event queues", 4 "Commands", 7.3 "Event
 *         records".
 */
#include <lib/errno.h>
#include "smmuv3_priv.h"

#define EVENTS_A_CALL 16u

#define CMD_CFGI_STE 0x03u
#define CMD_CFGI_ALL 0x04u /* CMD_CFGI_STE_RANGE of everything */
#define CMD_TLBI_S12_VMALL 0x28u
#define CMD_TLBI_S2_IPA 0x2au
#define CMD_TLBI_NSNH_ALL 0x30u
#define CMD_SYNC 0x46u
#define CMD_SID(sid) ((uint64_t)(sid) << 32)
#define CMD_VMID(tag) ((uint64_t)(tag) << 32)
#define CFGI_RANGE_ALL 31u

#define Q_BASE_ALLOC BIT64(62) /* may allocate in caches */
#define CMDQ_ENTRIES (1u << SMMU_CMDQ_LOG2)
#define EVTQ_ENTRIES (1u << SMMU_EVTQ_LOG2)
#define CONS_ERR FIELD64(30, 24)
#define EVTQ_OVERFLOW BIT32(31)

#define EVT_TYPE FIELD64(7, 0)
#define EVT_SID FIELD64(63, 32)
#define EVT_READ BIT64(35) /* of the second word */

/* ---- commands ------------------------------------------------------------ */

static void command(struct smmuv3 *s, uint64_t w0, uint64_t w1)
{
	uint64_t *at = s->cmdq + 2 * (s->cmdq_prod & (CMDQ_ENTRIES - 1));

	at[0] = w0;
	at[1] = w1;
	smmu_publish(s, at, 16);
	s->cmdq_prod = (s->cmdq_prod + 1) & (2 * CMDQ_ENTRIES - 1);
}

/* Hand over what command() wrote, and wait until all of it is done. */
static void sync(struct smmuv3 *s)
{
	if (s->u->dead) {
		return;
	}
	command(s, CMD_SYNC, 0);
	smmu_write(s, SMMU_CMDQ_PROD, s->cmdq_prod);
	for (uint32_t i = 0; i < SMMU_POLLS; i++) {
		uint32_t cons = smmu_read(s, SMMU_CMDQ_CONS);

		if ((cons & (2 * CMDQ_ENTRIES - 1)) == s->cmdq_prod) {
			return;
		}
		if ((smmu_read(s, SMMU_GERROR) ^ smmu_read(s, SMMU_GERRORN)) &
		    GERROR_CMDQ) {
			break; /* it stopped at a command */
		}
	}
	smmuv3_die(s, smmu_read(s, SMMU_CMDQ_CONS));
}

void smmuv3_forget_stream(struct smmuv3 *s, uint32_t sid)
{
	command(s, CMD_CFGI_STE | CMD_SID(sid), 0);
	sync(s);
}

void smmuv3_forget_streams(struct smmuv3 *s)
{
	command(s, CMD_CFGI_ALL, CFGI_RANGE_ALL);
	sync(s);
}

void smmuv3_forget_tag(struct smmuv3 *s, uint16_t tag)
{
	command(s, CMD_TLBI_S12_VMALL | CMD_VMID(tag), 0);
	sync(s);
}

void smmuv3_forget_page(struct smmuv3 *s, uint16_t tag, uint64_t address)
{
	command(s, CMD_TLBI_S2_IPA | CMD_VMID(tag), address & PAGE_MASK);
	sync(s);
}

void smmuv3_forget_all(struct smmuv3 *s)
{
	command(s, CMD_TLBI_NSNH_ALL, 0);
	sync(s);
}

/* ---- events -------------------------------------------------------------- */

static const struct {
	uint8_t reason; /* enum iommu_reason */
	bool has_address;
} event_kinds[] = {
	[0x01] = {IOMMU_OTHER, true},	     [0x02] = {IOMMU_NO_SPACE, false},
	[0x03] = {IOMMU_TABLE_FAULT, false}, [0x04] = {IOMMU_NO_SPACE, false},
	[0x06] = {IOMMU_NO_SPACE, false},    [0x07] = {IOMMU_OTHER, true},
	[0x0b] = {IOMMU_TABLE_FAULT, true},  [0x10] = {IOMMU_NOT_MAPPED, true},
	[0x11] = {IOMMU_BAD_ADDRESS, true},  [0x12] = {IOMMU_NOT_ALLOWED, true},
	[0x13] = {IOMMU_NOT_ALLOWED, true},
};

static void report(struct smmuv3 *s, const uint64_t *record)
{
	uint32_t type = (uint32_t)field_get(EVT_TYPE, record[0]);
	struct iommu_fault f = {
		.stream = (uint32_t)field_get(EVT_SID, record[0]),
		.write = !(record[1] & EVT_READ),
		.code = type,
		.address = record[2],
	};

	if (type < ARRAY_SIZE(event_kinds)) {
		f.reason = event_kinds[type].reason;
		f.has_address = event_kinds[type].has_address;
	}
	s->fault(s->u, &f);
}

static void report_errors(struct smmuv3 *s)
{
	uint32_t now = smmu_read(s, SMMU_GERROR);
	uint32_t news = now ^ smmu_read(s, SMMU_GERRORN);
	struct iommu_fault f = {.reason = IOMMU_ERROR, .code = news};

	if (news == 0) {
		return;
	}
	if (news & (GERROR_CMDQ | GERROR_SFM)) {
		smmuv3_die(s, news);
		return;
	}
	smmu_write(s, SMMU_GERRORN, now);
	if (news == GERROR_EVTQ_ABORT) {
		f.reason = IOMMU_LOST;
	}
	s->fault(s->u, &f);
}

bool smmuv3_events(struct smmuv3 *s)
{
	uint32_t prod = smmu_read(s, SMMU_EVTQ_PROD);
	uint32_t wrap = 2 * EVTQ_ENTRIES - 1;
	uint32_t n;

	dmb(ld); /* the records after the index that says they are there */
	for (n = 0; n < EVENTS_A_CALL && (s->evtq_cons & wrap) != (prod & wrap);
	     n++) {
		const uint64_t *at =
			s->evtq + 4 * (s->evtq_cons & (EVTQ_ENTRIES - 1));

		if (s->clean) {
			s->clean(at, 32); /* our cache's copy may be old */
		}
		report(s, at);
		s->evtq_cons = (s->evtq_cons & EVTQ_OVERFLOW) |
			       ((s->evtq_cons + 1) & wrap);
	}
	if ((prod ^ s->evtq_cons) & EVTQ_OVERFLOW) {
		const struct iommu_fault f = {.reason = IOMMU_LOST};

		s->evtq_cons ^= EVTQ_OVERFLOW;
		s->fault(s->u, &f);
	}
	smmu_write(s, SMMU_EVTQ_CONS, s->evtq_cons);
	report_errors(s);
	return !s->u->dead && (s->evtq_cons & wrap) != (prod & wrap);
}

int smmuv3_queue_init(struct smmuv3 *s)
{
	uint64_t cmdq, evtq;

	s->cmdq = s->alloc(0, &cmdq);
	s->evtq = s->alloc(0, &evtq);
	if (!s->cmdq || !s->evtq) {
		return -ENOMEM;
	}
	smmu_publish(s, s->evtq, PAGE_SIZE);
	mmio_write64(s->regs + SMMU_CMDQ_BASE,
		     cmdq | Q_BASE_ALLOC | SMMU_CMDQ_LOG2);
	smmu_write(s, SMMU_CMDQ_PROD, 0);
	smmu_write(s, SMMU_CMDQ_CONS, 0);
	mmio_write64(s->regs + SMMU_EVTQ_BASE,
		     evtq | Q_BASE_ALLOC | SMMU_EVTQ_LOG2);
	smmu_write(s, SMMU_EVTQ_PROD, 0);
	smmu_write(s, SMMU_EVTQ_CONS, 0);
	return 0;
}
