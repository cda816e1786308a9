/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of the machine, and whose each is.
 *
 * dom0 has all of them. The toolstack names one (segment, bus, device,
 * function) and gives it to a guest: its stream of the SMMU, the pages of its
 * BARs, its DeviceID and the line that its pin pulls go together, and belong
 * to one domain at any time, dom0 or that guest, or while they change hands to
 * nobody. dom0 keeps the function's configuration page: it is trusted, and its
 * toolstack needs it. Without dom0 boot gives them, and what a domain does not
 * have is nobody's; "dom0" means nobody in all of this then. So it does for
 * those that boot keeps from dom0, which has not even their configuration page.
 *
 * Hosts are those of the machine's tree that are "pci-host-ecam-generic", with
 * dom0, if there is one, as owner. What a function answers is not trusted.
 */
#ifndef HV_PCI_H
#define HV_PCI_H

#include <lib/types.h>
#include <hv/iommu_dev.h>
#include <hv/mmio.h>
#include <hv/percpu.h>

struct domain;

#define PCI_BARS 6u
#define PCI_FUNCTIONS 64u /* that the toolstack may name */
#define PCI_HOST_WINDOWS 8u
#define PCI_HOST_MAPS 8u
#define PCI_HOST_PINS 128u /* four of each device of the first bus */
#define PCI_BUSES 256u

/* Of bus, device, function: an address of configuration space. */
#define PCI_BDF(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))

/* Memory on the bus, and where the CPUs find it. */
struct pci_window {
	uint64_t bus;  /* address there */
	uint64_t base; /* physical */
	uint64_t size; /* bytes */
};

/* Functions [bdf, bdf + nr) are numbers [to, to + nr). */
struct pci_map {
	uint32_t bdf;
	uint32_t to;
	uint32_t nr;
	struct iommu *unit; /* of streams */
};

struct pci_host {
	struct pci_host *next;
	const char *name;          /* of its node */
	void *ecam;                /* mapped, from first_bus on */
	uint64_t ecam_base;        /* physical */
	uint32_t node;             /* of the tree, while it boots */
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint8_t nr_windows;        /* of memory */
	uint8_t nr_streams;
	uint8_t nr_ids;
	struct iommu_device *behind; /* all its streams */
	struct pci_window window[PCI_HOST_WINDOWS];
	/* Of each the last so many bytes, of which dom0 is not told. */
	uint64_t kept[PCI_HOST_WINDOWS];
	struct pci_map stream[PCI_HOST_MAPS]; /* iommu-map */
	struct pci_map id[PCI_HOST_MAPS];     /* msi-map: DeviceIDs */
	/*
	 * interrupt-map: the SPI that pin A to D of a device of the first bus
	 * pulls, [device * 4 + pin]; 0: none, or one that others pull, too.
	 */
	uint16_t line[PCI_HOST_PINS];
	/* [PCI_BUSES]: 1 + the bridge to a bus; 0: none seen; control_lock. */
	uint16_t *up;
};

/* Memory BARs only; the second word of a 64-bit one has none of its own. */
struct pci_bar {
	uint64_t mfn;
	uint32_t nr; /* pages; 0: none */
	bool is_64;
	bool prefetch;
};

enum pci_state {
	PCI_DOM0,   /* all of it is dom0's */
	PCI_TAKING, /* from dom0: its pages go */
	PCI_GIVEN,  /* all of it is .owner's */
	PCI_RESET,  /* nobody's: it forgets what the guest told it */
	PCI_GOING,  /* back to dom0: its pages come */
	PCI_LOST,   /* nobody's, for ever: it does not answer any more */
};

/* How it forgets what its guest told it. */
enum pci_reset {
	PCI_RESET_NONE,
	PCI_RESET_EXPRESS,  /* function level reset */
	PCI_RESET_ADVANCED, /* the same, of conventional PCI */
	PCI_RESET_POWER,    /* D3hot and back */
};

#define PCI_SAVED 24u

/* A register as it was before the function was given. */
struct pci_saved {
	uint8_t reg;
	uint8_t bytes;
	uint32_t value;
};

/* Whose the line is that a function's pin pulls. */
enum pci_line {
	PCI_LINE_DOM0,   /* with all that pulls it; or there is none */
	PCI_LINE_NOBODY, /* on its way */
	PCI_LINE_GUEST,  /* .owner's, as .virq */
};

/* control_lock, but for .behind, which is core/iommu.c's. */
struct pci_function {
	struct pci_function *next;
	const struct pci_host *host;
	struct domain *owner;  /* who gets or has it; NULL: dom0 or nobody */
	uint16_t segment;
	uint16_t bdf;
	uint8_t state;         /* enum pci_state; atomic */
	uint8_t reset;         /* enum pci_reset */
	uint8_t phase;         /* of a reset, since since_ns */
	uint8_t express;       /* these parts; 0: none */
	uint8_t advanced;
	uint8_t power;
	uint8_t nr_saved;
	int error;             /* why it goes back before it was given */
	uint32_t id;           /* vendor and device when it was given */
	bool has_id;           /* its messages have one */
	bool is_kept;          /* from dom0: nobody's when it is no domain's */
	uint8_t line_of;       /* enum pci_line */
	uint16_t line;         /* an SPI of its own; 0: none */
	uint16_t pulls;        /* the one of its pin, when it was looked at */
	uint16_t virq;         /* what the guest has for it */
	uint16_t look;         /* for others on that line: how far; 0: anew */
	uint16_t shares;       /* with that one */
	uint32_t device_id;    /* in its messages */
	uint32_t pages;        /* of its BARs that dom0 does not have now */
	uint64_t since_ns;
	uint64_t wait_ns;
	uint64_t line_ns;      /* .line_of is nobody since */
	uint32_t line_gen[NR_CPUS]; /* hv/work.h: who may have it in hand */
	struct pci_bar bar[PCI_BARS];
	struct pci_saved saved[PCI_SAVED]; /* as dom0 has set them */
	struct iommu_device behind; /* its one stream */
	char name[16];         /* 0000:00:02.0 */
};

/* Boot: there is @host, too. */
void pci_add_host(struct pci_host *host);

/* What a BAR of @words words says of itself, in bytes. */
struct pci_measure {
	uint64_t bus;   /* where it is */
	uint64_t size;
	uint32_t words;
	bool is_memory; /* else nothing, or ports: size 0 */
	bool is_64;
	bool prefetch;
};

/*
 * BAR @n of @f, which answers at no address meanwhile: what is there is
 * overwritten and put back. Whatever a device says: nothing of it is checked
 * but that it is a BAR; else what is wrong, and one word.
 */
const char *pci_measure(const struct pci_function *f, uint32_t n,
			struct pci_measure *m);
/* A function can be given to a guest at all. */
bool pci_is_present(void);

/* Of the real one. 1, 2 or 4 @bytes; @reg, a multiple of that, below 4096. */
uint32_t pci_config_read(const struct pci_function *f, uint32_t reg,
			 unsigned int bytes);
void pci_config_write(const struct pci_function *f, uint32_t reg,
		      unsigned int bytes, uint32_t value);

/* dom0's configuration space where a function is kept from it: a model. */
enum mmio_result pci_config_absent(struct vcpu *v, struct mmio_access *a,
				   void *opaque);

/* A function with that id is not dom0's now. Takes no lock. */
bool pci_is_given(uint32_t device_id);

/* ---- the toolstack; control_lock is held --------------------------------- */

/*
 * @d may have these pages of BARs (or may not). Nothing is given by that: the
 * pages come with the function. -EPERM: not all in a window of a host's;
 * -EBUSY: of a function that another guest has; -EINVAL: dom0, or dying.
 */
__must_check int pci_permit_pages(const struct domain *d, uint64_t mfn,
				  uint64_t nr);
/*
 * The function at @sbdf is @d's. The first one, before @d runs, makes @d's own
 * host and ITS: the stock toolstack (4.17) has no flag for that at creation,
 * and a domain without functions has none. -EAGAIN: call again; -ENODEV: there
 * is none, or not one that could be given away (the log says why); -EBUSY:
 * another guest's; -ENOMEM, -ENOSPC. Undone after an error.
 */
__must_check int pci_assign(struct domain *d, uint32_t sbdf);
/* It is dom0's again. -EAGAIN: call again; -EINVAL: was not @d's. */
__must_check int pci_deassign(struct domain *d, uint32_t sbdf);
/* Could it be given away now? As pci_assign(), changes nothing. */
__must_check int pci_test_assign(uint32_t sbdf);
/*
 * Boot, before dom0 runs: *@f is the function at @sbdf, and not dom0's any
 * more, for good: neither its stream nor its pages nor its messages. The line
 * of its pin stays dom0's. -ENODEV, logged: one that cannot be given; -EIO, so
 * is that: it is nobody's and cannot be anybody's; -ENOMEM.
 */
__must_check int pci_keep(uint32_t sbdf, const struct pci_function **f);
/* It was. */
bool pci_is_kept(uint32_t sbdf);
/* All of @d's go back, a part of its end. -EAGAIN: call again. */
__must_check int pci_release_step(struct domain *d);
/* @d goes, and what its functions had brought: vpci_domain_fini(). */
void pci_domain_fini(struct domain *d);

#endif
