/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor's boot code makes of a board's device tree, on the host.
 *
 *   boards [-o DIR] [-s] [-v] DTB...
 *
 * One line per tree: CPUs, memory, GIC, timer, how CPUs start, console,
 * devices, size of dom0's tree; * where the boot loader has to tell the memory.
 * With -o DIR the tree as a boot loader would hand it over and dom0's tree are
 * written to DIR/NAME.host.dtb and DIR/NAME.dom0.dtb. With -s as with
 * dom0_scu=no. Exit status 1 when a tree was not understood.
 *
 * A boot loader's part is played here with libfdt: memory where the tree has
 * none, /chosen with a kernel module.
 */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/cmdline.h"
#include "boot/dom_fdt.h"
#include "boot/early_uart.h"
#include "boot/fdt_platform.h"
#include "boot/fdt_smmu.h"
#include "boot/fdt_util.h"
#include "include/hv/uart.h"
#include "tests/fakes/fake_log.h"

#define TREE_ROOM (2u << 20)
#define GUESSED_RAM UINT64_C(0x40000000)
#define IPA_BITS 40u

static _Alignas(8) uint8_t host[TREE_ROOM];
static _Alignas(8) uint8_t dom0[TREE_ROOM];

static uint32_t nr_consoles; /* of the boards so far */
static bool keeps_scu;       /* -s */

struct totals {
	uint64_t mmio_bytes;
	uint32_t nr_mmio, nr_spis, nr_v2m;
};

static int read_file(const char *name, uint8_t *buf, size_t room, size_t *len)
{
	FILE *f = fopen(name, "rb");

	if (!f) {
		perror(name);
		return -1;
	}
	*len = fread(buf, 1, room, f);
	fclose(f);
	return 0;
}

static void write_tree(const char *dir, const char *name, const char *what,
		       const void *tree)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.%s.dtb", dir, name, what);
	f = fopen(path, "wb");
	if (!f || fwrite(tree, fdt_totalsize(tree), 1, f) != 1) {
		perror(path);
		exit(2);
	}
	fclose(f);
}

/* ---- the boot loader's part ---------------------------------------------- */

static int put_cells(uint8_t *p, int cells, uint64_t v)
{
	for (int i = cells; i-- > 0; v >>= 32) {
		fdt32_st(p + 4 * i, (uint32_t)v);
	}
	return 4 * cells;
}

static bool has_memory(const void *fdt)
{
	int ac = fdt_address_cells(fdt, 0);
	int sc = fdt_size_cells(fdt, 0);
	int node = -1;
	int len;

	while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type",
						     "memory", 7)) >= 0) {
		const uint8_t *reg = fdt_getprop(fdt, node, "reg", &len);

		for (int i = 4 * ac; reg && i < 4 * (ac + sc) && i < len; i++) {
			if (reg[i]) {
				return true;
			}
		}
	}
	return false;
}

static void add_memory(void *fdt)
{
	int ac = fdt_address_cells(fdt, 0);
	int sc = fdt_size_cells(fdt, 0);
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type",
						 "memory", 7);
	uint8_t reg[16];
	uint64_t base = UINT64_C(0x80000000);
	const uint8_t *old;
	char name[32];
	int len;
	int n;

	old = node < 0 ? NULL : fdt_getprop(fdt, node, "reg", &len);
	if (old && len >= 4 * ac) {
		base = 0;
		for (int i = 0; i < ac; i++) {
			base = base << 32 | fdt32_ld((const fdt32_t *)
						     (old + 4 * i));
		}
	}
	if (node < 0) {
		snprintf(name, sizeof(name), "memory@%llx",
			 (unsigned long long)base);
		node = fdt_add_subnode(fdt, 0, name);
		fdt_setprop_string(fdt, node, "device_type", "memory");
	}
	n = put_cells(reg, ac, base);
	n += put_cells(reg + n, sc, GUESSED_RAM);
	fdt_setprop(fdt, node, "reg", reg, n);
}

static void add_module(void *fdt)
{
	static const char compatible[] = "multiboot,kernel\0multiboot,module";
	int chosen = fdt_path_offset(fdt, "/chosen");
	uint8_t reg[16];
	int n;
	int node;

	if (chosen < 0) {
		chosen = fdt_add_subnode(fdt, 0, "chosen");
	}
	fdt_setprop_u32(fdt, chosen, "#address-cells", 2);
	fdt_setprop_u32(fdt, chosen, "#size-cells", 2);
	node = fdt_add_subnode(fdt, chosen, "module@80000");
	n = put_cells(reg, 2, 0x80000);
	n += put_cells(reg + n, 2, 0x1000000);
	fdt_setprop(fdt, node, "compatible", compatible, sizeof(compatible));
	fdt_setprop(fdt, node, "reg", reg, n);
	fdt_setprop_string(fdt, node, "bootargs", "console=hvc0");
}

static uint64_t first_mpidr(const void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus");
	int node;

	fdt_for_each_subnode(node, fdt, cpus) {
		const char *type = fdt_getprop(fdt, node, "device_type", NULL);
		const char *status = fdt_getprop(fdt, node, "status", NULL);
		int len;
		const uint8_t *reg = fdt_getprop(fdt, node, "reg", &len);

		if (type && strcmp(type, "cpu") == 0 && reg &&
		    (!status || status[0] == 'o')) {
			return dt_cells(reg, (uint32_t)len / 4);
		}
	}
	return 0;
}

/* ---- one board ----------------------------------------------------------- */

static int count_mmio(uint64_t start, uint64_t size, void *arg)
{
	struct totals *s = arg;

	(void)start;
	s->mmio_bytes += size;
	s->nr_mmio++;
	return 0;
}

static int count_spi(uint32_t intid, enum irq_trigger trigger, void *arg)
{
	struct totals *s = arg;

	(void)intid;
	(void)trigger;
	s->nr_spis++;
	return 0;
}

static int count_v2m(uint64_t start, uint64_t size, void *arg)
{
	struct totals *s = arg;

	(void)start;
	(void)size;
	s->nr_v2m++;
	return 0;
}

static const char *start_method(const struct platform *p)
{
	bool spin = false;
	bool psci = p->psci_conduit != PSCI_NONE;

	for (uint32_t i = 0; i < p->nr_cpus; i++) {
		spin |= p->cpu_enable[i] == CPU_ENABLE_SPIN_TABLE;
	}
	return psci && !spin ? (p->psci_conduit == PSCI_SMC ? "smc" : "hvc") :
	       psci ? "psci+spin" : spin ? "spin" : "none";
}

static int build_dom0(struct platform *p, struct totals *s, uint32_t *nr_ext,
		      uint32_t *size)
{
	static const struct dom0_devices cb = {
		.mmio = count_mmio, .spi = count_spi, .v2m = count_v2m,
	};
	static struct mem_range ext[DOM0_MAX_EXTENDED];
	/* The upper part of the first bank; /reserved-memory is elsewhere. */
	struct mem_range bank = {
		.start = p->bank[0].start + p->bank[0].size / 2 + 0x1000,
		.size = p->bank[0].size / 2 - 0x1000,
	};
	struct dom0_fdt_args a = {
		.platform = p, .bootargs = p->dom0_cmdline,
		.initrd_start = p->bank[0].start + 0x8000000,
		.initrd_end = p->bank[0].start + 0x8100000,
		.bank = &bank, .nr_banks = 1,
		.nr_vcpus = p->nr_cpus, .evtchn_intid = 16,
		.grant_window = { .start = p->bank[0].start, .size = 0x40000 },
		.extended = ext,
	};
	int rc = dom0_devices_walk(p, &cb, s);

	if (rc == 0) {
		rc = dom0_find_extended_regions(p, IPA_BITS, &a.grant_window,
						1, ext, DOM0_MAX_EXTENDED,
						&a.nr_extended);
	}
	*nr_ext = a.nr_extended;
	return rc ? rc : dom0_fdt_build(&a, dom0, sizeof(dom0), size);
}

/* The driver's name and where the port is; what there is none for. */
static const char *console_of(const struct platform *p)
{
	static char text[64];
	const struct uart *u = boot_console_driver(p);

	if (u) {
		nr_consoles++;
		snprintf(text, sizeof(text), "%s@%llx", u->name,
			 (unsigned long long)p->uart.base);
		return text;
	}
	snprintf(text, sizeof(text), "none (%s)",
		 p->uart.node < 0 ? "-" : p->uart.compatible);
	return text;
}

/*
 * What would be said before anything else is set up must go to that port too:
 * found by other code, which reads the tree as it came.
 */
static bool early_agrees(const struct platform *p, const uint8_t *raw)
{
	struct early_uart u;
	bool found = early_uart_find((uintptr_t)raw, TREE_ROOM, &u);

	return !boot_console_driver(p) ||
	       (found && u.base == p->uart.base);
}

static int board(const char *file, const char *dir)
{
	static struct platform p;
	static uint8_t raw[TREE_ROOM];
	struct totals s = { 0 };
	struct smmu_count c;
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	char name[128];
	char memory = 'M';
	uint64_t ram = 0;
	uint32_t nr_ext = 0;
	uint32_t size = 0;
	size_t len;
	int rc;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(base) - 4), base);
	fake_log_reset();
	if (read_file(file, raw, sizeof(raw), &len) ||
	    fdt_open_into(raw, host, sizeof(host))) {
		printf("%-44s not a device tree\n", name);
		return 1;
	}
	if (!has_memory(host)) {
		add_memory(host);
		memory = '*';
	}
	add_module(host);
	fdt_pack(host);
	rc = fdt_platform_parse(host, first_mpidr(host), &p);
	p.keeps_scu = keeps_scu;
	rc = rc ? rc : fdt_platform_find_console(&p, "");
	rc = rc ? rc : build_dom0(&p, &s, &nr_ext, &size);
	if (rc) {
		printf("%-44s error %d: %s", name, rc, fake_log_last[0]);
		return 1;
	}
	if (!early_agrees(&p, raw)) {
		printf("%-44s error 0: early console is another one\n", name);
		return 1;
	}
	fdt_smmu_count(&host_dt, &c);
	for (uint32_t i = 0; i < p.nr_banks; i++) {
		ram += p.bank[i].size;
	}
	printf("%-44s %2u/%-3u %6llu%c/%u gicv%u@%llx %u/%u/%u/%u %-9s %-28s "
	       "%u/%uM %u %u %u %u %u/%u%s\n", name, p.nr_cpus, p.nr_cpus_found,
	       (unsigned long long)(ram >> 20), memory, p.nr_banks, p.gic.version,
	       (unsigned long long)p.gic.gicd_base, p.timer.sec_phys, p.timer.phys, p.timer.virt, p.timer.hyp,
	       start_method(&p),
	       console_of(&p), s.nr_mmio,
	       (uint32_t)(s.mmio_bytes >> 20), s.nr_spis, p.nr_reserved,
	       nr_ext, size, c.masters, c.smmus, fake_log_count[1] ? " (warned)" : "");
	if (dir) {
		write_tree(dir, name, "host", host);
		write_tree(dir, name, "dom0", dom0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;
	int bad = 0;
	int opt;

	while ((opt = getopt(argc, argv, "o:sv")) != -1) {
		if (opt == 'o') {
			dir = optarg;
		} else if (opt == 's') {
			keeps_scu = true;
		} else if (opt == 'v') {
			fake_log_print = true;
		} else {
			fputs("usage: boards [-o DIR] [-s] [-v] DTB...\n", stderr);
			return 2;
		}
	}
	printf("%-44s %6s %9s %5s %11s %-9s %-28s %s\n", "board", "CPUs",
	       "RAM/banks", "GIC", "timer", "CPU start", "console",
	       "MMIO SPIs reserved extended bytes masters/SMMUs");
	for (int i = optind; i < argc; i++) {
		bad += board(argv[i], dir);
	}
	printf("%d boards understood, %d not; %u have a console\n",
	       argc - optind - bad, bad, nr_consoles);
	return bad != 0;
}
