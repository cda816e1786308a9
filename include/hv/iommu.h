/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PORT: a unit between devices and memory. Six functions a driver. It knows
 * streams (what a device's accesses carry) and spaces (tables of addresses
 * that are somebody else's); who owns either is core/iommu.c's business.
 *
 * Locks   every function but init is called with u->lock held; fault() of
 *         struct iommu_config is called from within them.
 * Rule    a stream that was never attached, or is detached, reaches nothing.
 *         So does every stream from the moment init begins.
 * Waits   are bounded. A unit that does not answer is made to refuse all
 *         accesses, says so once (fault(), IOMMU_DEAD) and stays so.
 */
#ifndef HV_IOMMU_H
#define HV_IOMMU_H

#include <lib/types.h>
#include <hv/lock.h>

#define MAX_IOMMUS 16u
#define IOMMU_MAX_IRQS 24u
/* Numbers of spaces are 1 .. 255: eight bits of VMID. */
#define IOMMU_TAGS 256u

/*
 * A domain's own tables, as the CPUs walk them: pages of 4 KiB, the top level
 * @root made of adjacent tables when it has more than 512 entries. Their
 * owner edits them in place and calls flush() for what it took away.
 */
struct iommu_space {
	uint64_t root; /* physical address */
	uint8_t bits; /* of an input address */
	uint8_t start_level; /* 0 or 1 */
	uint16_t tag; /* no other space of any unit has it */
};

enum iommu_reason {
	IOMMU_OTHER, /* .code of the unit's */
	IOMMU_NOT_MAPPED,
	IOMMU_NOT_ALLOWED, /* mapped, but not for that */
	IOMMU_NO_SPACE, /* the stream is attached to nothing */
	IOMMU_BAD_ADDRESS, /* more bits than there are */
	IOMMU_TABLE_FAULT, /* the unit could not read our tables */
	/* Of the unit itself, only .code counts: */
	IOMMU_LOST, /* faults went by unseen */
	IOMMU_ERROR,
	IOMMU_DEAD, /* it does not answer */
	NR_IOMMU_REASONS
};

struct iommu_fault {
	uint32_t stream;
	uint8_t reason; /* enum iommu_reason */
	bool write;
	bool has_address;
	uint32_t code; /* as the unit puts it */
	uint64_t address; /* that the device asked for */
};

/* What a unit does with the accesses of a stream. */
enum iommu_use {
	IOMMU_REFUSES,
	IOMMU_TRANSLATES, /* .by */
	IOMMU_PASSES, /* as they are, to all of memory */
	IOMMU_UNKNOWN, /* something that no driver of ours asks for */
};

struct iommu_route {
	struct iommu_space by;
	uint32_t nr; /* streams from there on of which it holds, 1 at least */
	uint8_t use; /* enum iommu_use */
	uint64_t *entry; /* that says so, if it is in memory */
};

struct iommu;

struct iommu_config {
	void *regs; /* mapped, for as long as we run */
	uint64_t regs_size;
	bool coherent; /* the tree says that it sees the CPUs' caches */
	uint32_t max_stream; /* the highest that the tree names */
	uint32_t nr_global_irqs; /* of SMMUv1/2: "#global-interrupts" */
	uint32_t stream_mask; /* of SMMUv2: bits of a stream that say nothing */
	/*
	 * 2^order zeroed frames, aligned to their size, for ever; their
	 * physical address in *@pa. NULL: there are none.
	 */
	void *(*alloc)(unsigned int order, uint64_t *pa);
	/* What is at @pa. NULL: not a frame of the hypervisor's. */
	void *(*at)(uint64_t pa);
	/* Before a unit that does not see the CPUs' caches reads [va,+len). */
	void (*clean)(const void *va, size_t len);
	void (*fault)(struct iommu *u, const struct iommu_fault *f);
};

struct iommu_ops {
	const char *name;
	const char *const *compatible; /* NULL-terminated */
	uint64_t regs_min; /* bytes */
	/*
	 * Every stream refused, interrupts of the unit on; sets u->state,
	 * u->max_stream, u->walks_coherent. -ENODEV: cannot do what is needed
	 * (logged through fault(), IOMMU_ERROR or IOMMU_DEAD); -ENOMEM.
	 */
	int (*init)(struct iommu *u, const struct iommu_config *c);
	/*
	 * From here on streams [first, first + nr), which are attached to
	 * nothing or to @s, use @s. -EINVAL: the unit has no such streams;
	 * -ENOMEM, -ENOSPC: no place for them or for @s; -EIO: it is dead.
	 * After an error they reach nothing.
	 */
	int (*attach)(struct iommu *u, uint32_t first, uint32_t nr,
		      const struct iommu_space *s);
	/*
	 * These reach nothing any more. Cannot fail: a unit that does not
	 * answer refuses all.
	 */
	void (*detach)(struct iommu *u, uint32_t first, uint32_t nr,
		       const struct iommu_space *s);
	/*
	 * Nothing of @pages frames from @address of @s is remembered, and
	 * accesses under way there are over. IOMMU_ALL: of all of @s.
	 */
	void (*flush)(struct iommu *u, const struct iommu_space *s,
		      uint64_t address, uint64_t pages);
	/*
	 * One of its lines fired: report a bounded number of faults. True:
	 * there may be more, call again. The line is masked meanwhile.
	 */
	bool (*irq)(struct iommu *u);
	/*
	 * What becomes of @stream, which is max_stream at most: read back from
	 * the registers and the memory that the unit reads, no matter what the
	 * driver remembers. Changes nothing; a bounded number of reads.
	 */
	void (*inspect)(struct iommu *u, uint32_t stream,
			struct iommu_route *r);
};

#define IOMMU_ALL UINT64_MAX

struct iommu {
	const struct iommu_ops *ops;
	void *state; /* the driver's */
	struct spinlock lock; /* rank IOMMU */
	uint32_t index;
	uint32_t max_stream; /* highest stream there can be */
	bool walks_coherent; /* it sees table writes in the CPUs' caches */
	bool dead; /* set by the driver: it refuses everything */
	uint64_t base; /* physical address: its name in messages */
	uint32_t irq[IOMMU_MAX_IRQS]; /* INTIDs */
	uint8_t irq_edge[IOMMU_MAX_IRQS];
	uint32_t nr_irqs;
	uint64_t since_ns; /* core/iommu.c: a period began */
	uint32_t nr_calls; /* ... of irq() in it */
};

extern const struct iommu_ops smmuv3_iommu, smmuv2_iommu;

#endif
