/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netfront-rings DOMAIN REF
 *
 * For the control domain, while no backend serves it: empties a ring of frames
 * to send of a guest's network card (tx-ring-ref of its frontend), as tx_ring.h
 * says. Says how many requests had no answer. By the kernel's /dev/xen/privcmd
 * alone. The guest says which grant: it can name no page but its own.
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

#define USAGE \
	"usage: netfront-rings DOMAIN REF   two numbers; empties the ring of " \
	"a network card\n       whose backend is dead"
#define REFS_A_PAGE (RING_PAGE / sizeof(struct grant_entry_v1))

static int privcmd;

static void *window(void)
{
	void *at = mmap(NULL, RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			privcmd, 0);

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
	if (mlock(&v, sizeof(v)) ||
	    ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call)) {
		return -1;
	}
	errno = EOPNOTSUPP;
	return v.version == 1 ? 0 : -1;
}

static int frame_of(uint16_t domain, uint32_t ref, uint64_t *frame)
{
	volatile struct grant_entry_v1 *entries = window();
	struct privcmd_mmap_resource map = {
		domain, XENMEM_resource_grant_table,
		XENMEM_resource_grant_table_id_shared,
		ref / REFS_A_PAGE, 1, (uintptr_t)entries };

	if (!entries || ioctl(privcmd, IOCTL_PRIVCMD_MMAP_RESOURCE, &map)) {
		return -1;
	}
	entries += ref % REFS_A_PAGE;
	*frame = entries->frame;
	if ((entries->flags & GTF_type_mask) != GTF_permit_access) {
		errno = ENOENT;
		return -1;
	}
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

	if (version_1(domain) || frame_of(domain, ref, &frame) ||
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
	if (left.ids) {
		printf("netfront-rings: domain %u: %u requests without an "
		       "answer, %u of them overtaken\n",
		       domain, left.ids, left.overtaken);
	}
	return 0;
}

static bool number(const char *text, unsigned long most, unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && !errno &&
	       *n <= most;
}

int main(int argc, char **argv)
{
	unsigned long domain;
	unsigned long ref;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(USAGE);
		return 0;
	}
	if (argc != 3 || !number(argv[1], DOMID_FIRST_RESERVED - 1, &domain) ||
	    !number(argv[2], UINT32_MAX, &ref)) {
		fputs(USAGE "\n", stderr);
		return 2;
	}
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (privcmd < 0) {
		perror("netfront-rings: /dev/xen/privcmd");
		return 1;
	}
	return empty((uint16_t)domain, (uint32_t)ref);
}
