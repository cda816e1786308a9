/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulses MS ID...: for each of the domains, which run guests/pulse.c, the
 * rounds of its two vCPUs, and MS milliseconds later again:
 *   ID ROUNDS ROUNDS LATER LATER
 * By the control domain's stock libxenforeignmemory.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_DOMAINS 128
#define PFN	    0x40100u /* guests/pulse.c */

typedef void *map_fn(void *h, uint32_t dom, int prot, size_t nr,
		     const uint64_t *pfns, int *err);
typedef int unmap_fn(void *h, void *p, size_t nr);

static void *must(void *p, const char *what)
{
	if (!p) {
		fprintf(stderr, "%s failed\n", what);
		exit(2);
	}
	return p;
}

int main(int argc, char **argv)
{
	void *lib =
		must(dlopen("libxenforeignmemory.so.1", RTLD_NOW), "dlopen");
	void *(*open_fm)(void *, unsigned int) =
		must(dlsym(lib, "xenforeignmemory_open"), "dlsym");
	map_fn *map = must(dlsym(lib, "xenforeignmemory_map"), "dlsym");
	unmap_fn *unmap = must(dlsym(lib, "xenforeignmemory_unmap"), "dlsym");
	void *fm = must(open_fm(NULL, 0), "open");
	volatile uint64_t *page[MAX_DOMAINS];
	uint64_t first[MAX_DOMAINS][2];
	const uint64_t pfn = PFN;
	int nr = argc - 2;
	int err;

	if (nr < 0 || nr > MAX_DOMAINS) {
		return 2;
	}
	for (int i = 0; i < nr; i++) {
		uint32_t id = (uint32_t)strtoul(argv[i + 2], NULL, 0);

		page[i] = must(map(fm, id, PROT_READ, 1, &pfn, &err),
			       argv[i + 2]);
		first[i][0] = page[i][0];
		first[i][1] = page[i][1];
	}
	usleep((useconds_t)strtoul(argv[1], NULL, 0) * 1000);
	for (int i = 0; i < nr; i++) {
		printf("%s %llu %llu %llu %llu\n", argv[i + 2],
		       (unsigned long long)first[i][0],
		       (unsigned long long)first[i][1],
		       (unsigned long long)page[i][0],
		       (unsigned long long)page[i][1]);
		(void)unmap(fm, (void *)page[i], 1);
	}
	return 0;
}
