/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan of a pool of arinc653 through the control domain's stock
 * libxenctrl; the pool's id is in the environment's POOL, or it is pool 0:
 *   plan get
 *   plan set FRAME [UUID VCPU RUNTIME]...      times in nanoseconds
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/sysctl.h>

typedef struct xen_sysctl_arinc653_schedule plan_t;
typedef int plan_fn(void *xc, uint32_t pool, plan_t *plan);

static uint32_t pool(void)
{
	const char *id = getenv("POOL");

	return id ? (uint32_t)strtoul(id, NULL, 0) : 0;
}

static void *must(void *p, const char *what)
{
	if (!p) {
		fprintf(stderr, "%s: %s\n", what, dlerror());
		exit(2);
	}
	return p;
}

static void read_uuid(const char *text, uint8_t *to)
{
	for (int i = 0; i < 16 && *text; text++) {
		unsigned int byte;

		if (*text != '-' && sscanf(text, "%2x", &byte) == 1) {
			to[i++] = (uint8_t)byte;
			text++;
		}
	}
}

static void print_uuid(const uint8_t *u)
{
	for (int i = 0; i < 16; i++) {
		printf("%s%02x",
		       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	}
}

static int do_set(int argc, char **argv, void *xc, plan_fn *set)
{
	static plan_t plan;

	plan.major_frame = strtoull(argv[2], NULL, 0);
	for (int i = 3; i + 2 < argc && plan.num_sched_entries < 64; i += 3) {
		uint8_t n = plan.num_sched_entries++;

		read_uuid(argv[i], plan.sched_entries[n].dom_handle);
		plan.sched_entries[n].vcpu_id =
			(uint32_t)strtoul(argv[i + 1], NULL, 0);
		plan.sched_entries[n].runtime = strtoull(argv[i + 2], NULL, 0);
	}
	if (set(xc, pool(), &plan) != 0) {
		printf("set: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

static int do_get(void *xc, plan_fn *get)
{
	static plan_t plan;

	if (get(xc, pool(), &plan) != 0) {
		printf("get: %s\n", strerror(errno));
		return 1;
	}
	printf("frame %llu\n", (unsigned long long)plan.major_frame);
	for (int i = 0; i < plan.num_sched_entries; i++) {
		print_uuid(plan.sched_entries[i].dom_handle);
		printf(" %#x %llu\n", plan.sched_entries[i].vcpu_id,
		       (unsigned long long)plan.sched_entries[i].runtime);
	}
	return 0;
}

int main(int argc, char **argv)
{
	void *lib = must(dlopen("libxenctrl.so.4.17", RTLD_NOW), "dlopen");
	void *(*open_xc)(void *, void *, unsigned int) =
		must(dlsym(lib, "xc_interface_open"), "open");
	plan_fn *set =
		must(dlsym(lib, "xc_sched_arinc653_schedule_set"), "set");
	plan_fn *get =
		must(dlsym(lib, "xc_sched_arinc653_schedule_get"), "get");
	void *xc = open_xc(NULL, NULL, 0);

	if (argc > 2 && strcmp(argv[1], "set") == 0) {
		return do_set(argc, argv, xc, set);
	}
	return do_get(xc, get);
}
