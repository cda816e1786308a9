/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's "edu" card, a device that a guest can point at any address: it copies
 * between a buffer of its own and memory, and interrupts when it is told to.
 */
#include "guest.h"
#include <libfdt.h>

#define PCI_ID 0x00u
#define PCI_COMMAND 0x04u
#define PCI_MEMORY_AND_MASTER 6u
#define PCI_BAR0 0x10u
#define PCI_CAPS 0x34u
#define CAP_MSI 5u
#define MSI_ENABLE (1u << 16)
#define FUNCTION_SHIFT 12u
#define EDU_ID 0x11e81234u
#define EDU_RAISE 0x60u
#define EDU_LOWER 0x64u
#define EDU_SRC 0x80u
#define EDU_DST 0x88u
#define EDU_COUNT 0x90u
#define EDU_CMD 0x98u
#define EDU_CMD_START 1u
#define EDU_CMD_TO_MEMORY 2u
#define EDU_BUFFER 0x40000u /* as its own source or destination */
#define EDU_BAR 0x10000000u /* in the window of QEMU's virt machine */
#define RANGE_CELLS 7		/* of "ranges": kind, its address, ours, size */
#define RANGE_MEMORY 0x02000000u	/* kind: 32-bit memory */

static uint64_t function; /* its configuration space */
static uint64_t bar;	 /* its registers */
void (*edu_pause)(void);

static uint64_t cells(const fdt32_t *at)
{
	return (uint64_t)fdt32_to_cpu(at[0]) << 32 | fdt32_to_cpu(at[1]);
}

/* Where functions of the bridge may have their registers; QEMU's: not told. */
static uint64_t window_of(int node)
{
	int size = 0;
	const fdt32_t *r = fdt_getprop(machine.fdt, node, "ranges", &size);
	int left;

	for (left = size / 4; left >= RANGE_CELLS; left -= RANGE_CELLS) {
		if (fdt32_to_cpu(r[0]) == RANGE_MEMORY) {
			return cells(r + 3);
		}
		r += RANGE_CELLS;
	}
	return EDU_BAR;
}

unsigned int edu_find_at(uint64_t ecam, uint64_t memory)
{
	unsigned int devfn;

	bar = memory;
	for (devfn = 8; ecam && devfn < 256; devfn += 8) {
		uint64_t f = ecam + ((uint64_t)devfn << FUNCTION_SHIFT);

		if (mmio_read32(f + PCI_ID) == EDU_ID) {
			mmio_write32(f + PCI_BAR0, (uint32_t)bar);
			mmio_write32(f + PCI_COMMAND, PCI_MEMORY_AND_MASTER);
			function = f;
			return (mmio_read32(bar) & 0xff) == 0xed ? devfn : 0;
		}
	}
	return 0;
}

/* A guest of xl has two bridges, of which one is empty. */
unsigned int edu_find(void)
{
	unsigned int devfn = 0;
	const fdt32_t *reg;
	int node = -1;

	while (!devfn) {
		node = fdt_node_offset_by_compatible(machine.fdt, node,
						     "pci-host-ecam-generic");
		if (node < 0) {
			break;
		}
		reg = fdt_getprop(machine.fdt, node, "reg", NULL);
		devfn = edu_find_at(reg ? cells(reg) : 0,
				    window_of(node));
	}
	return devfn;
}

static void start(uint64_t src, uint64_t dst, uint32_t bytes, uint32_t cmd)
{
	dsb();
	mmio_write64(bar + EDU_SRC, src);
	mmio_write64(bar + EDU_DST, dst);
	mmio_write64(bar + EDU_COUNT, bytes);
	mmio_write32(bar + EDU_CMD, cmd | EDU_CMD_START);
}

static void copy(uint64_t src, uint64_t dst, uint32_t bytes, uint32_t cmd)
{
	start(src, dst, bytes, cmd);
	while (mmio_read32(bar + EDU_CMD) & EDU_CMD_START) {
		if (edu_pause) {
			edu_pause();
		}
	}
	dsb();
}

void edu_reads(uint64_t at, uint32_t bytes)
{
	copy(at, EDU_BUFFER, bytes, 0);
}

void edu_writes(uint64_t at, uint32_t bytes)
{
	copy(EDU_BUFFER, at, bytes, EDU_CMD_TO_MEMORY);
}

void edu_will_write(uint64_t at, uint32_t bytes)
{
	start(EDU_BUFFER, at, bytes, EDU_CMD_TO_MEMORY);
}

uint64_t edu_doorbell(uint64_t at, uint32_t data)
{
	uint64_t cap = function + (mmio_read32(function + PCI_CAPS) & 0xfc);

	while (cap != function && (mmio_read32(cap) & 0xff) != CAP_MSI) {
		cap = function + (mmio_read32(cap) >> 8 & 0xfc);
	}
	if (cap == function) {
		return 0;
	}
	mmio_write32(cap + 4, (uint32_t)at);
	mmio_write32(cap + 8, (uint32_t)(at >> 32));
	mmio_write32(cap + 12, data);
	mmio_write32(cap, mmio_read32(cap) | MSI_ENABLE);
	return bar + EDU_RAISE;
}

void edu_quiet(void)
{
	mmio_write32(bar + EDU_LOWER, 1);
	dsb();
}

bool edu_message(uint64_t at, uint32_t data)
{
	uint64_t raise = edu_doorbell(at, data);

	if (raise) {
		mmio_write32(raise, 1);
		edu_quiet();
	}
	return raise != 0;
}
