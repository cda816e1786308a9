/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netfront-rings DOMAIN REF...
 *
 * For the control domain, while no backend serves them: empties the rings of
 * frames to send of a guest's network card (tx-ring-ref of its frontend), as
 * tx_ring.h says. Says how many requests had no answer. By the kernel's
 * /dev/xen/privcmd alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sys/privcmd.h>

#include "tx_ring.h"

#define PAGE 4096u
#define REFS_A_PAGE (PAGE / sizeof(struct grant_entry_v1))

static int privcmd;

static void *window(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, privcmd,
			0);

	return at == MAP_FAILED ? NULL : at;
}

/* Of the first version; Linux on Arm uses no other. */
static int version_1(uint16_t domain)
{
	static struct gnttab_get_version v __attribute__((aligned(64)));
	struct privcmd_hypercall call = { __HYPERVISOR_grant_table_op,
					  { GNTTABOP_get_version,
					    (uintptr_t)&v, 1 } };

	v.dom = domain;
	if (mlock(&v, sizeof(v)) || ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call)) {
		return -1;
	}
	errno = EOPNOTSUPP;
	return v.version == 1 ? 0 : -1;
}

static int frame_of(uint16_t domain, uint32_t ref, uint64_t *frame)
{
	struct grant_entry_v1 *entries = window();
	struct privcmd_mmap_resource map = {
		domain, XENMEM_resource_grant_table,
		XENMEM_resource_grant_table_id_shared,
		ref / REFS_A_PAGE, 1, (uintptr_t)entries };
	struct grant_entry_v1 entry;

	if (!entries || ioctl(privcmd, IOCTL_PRIVCMD_MMAP_RESOURCE, &map)) {
		return -1;
	}
	entry = entries[ref % REFS_A_PAGE];
	munmap(entries, PAGE);
	if ((entry.flags & GTF_type_mask) != GTF_permit_access) {
		errno = ENOENT;
		return -1;
	}
	*frame = entry.frame;
	return 0;
}

static void *map_frame(uint16_t domain, uint64_t frame)
{
	void *at = window();
	int error = 0;
	struct privcmd_mmapbatch_v2 map = { 1, domain, (uintptr_t)at, &frame,
					    &error };

	if (!at || ioctl(privcmd, IOCTL_PRIVCMD_MMAPBATCH_V2, &map)) {
		return NULL;
	}
	if (error) {
		errno = -error;
		return NULL;
	}
	return at;
}

static int empty(uint16_t domain, uint32_t ref)
{
	struct tx_left left;
	uint64_t frame;
	void *page;

	if (frame_of(domain, ref, &frame) ||
	    !(page = map_frame(domain, frame))) {
		fprintf(stderr, "netfront-rings: domain %u, grant %u: %s\n",
			domain, ref, strerror(errno));
		return 1;
	}
	if (!tx_ring_read(page, &left)) {
		fprintf(stderr, "netfront-rings: domain %u, grant %u: what has "
				"no answer cannot be told: it stays so\n",
			domain, ref);
		return 1;
	}
	tx_ring_empty(page, &left);
	munmap(page, PAGE);
	if (left.ids) {
		printf("netfront-rings: domain %u: %u requests without an "
		       "answer, %u of them overtaken\n",
		       domain, left.ids, left.overtaken);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 3 || argv[1][0] == '-') {
		puts("usage: netfront-rings DOMAIN REF...   empties the rings "
		     "of a network card whose backend is dead");
		return argc < 3 ? 2 : 0;
	}
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (privcmd < 0 || version_1((uint16_t)atoi(argv[1]))) {
		perror("netfront-rings: the guest's grant table");
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		failed |= empty((uint16_t)atoi(argv[1]),
				(uint32_t)strtoul(argv[i], NULL, 0));
	}
	return failed;
}
