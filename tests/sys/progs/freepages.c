/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints how many pages of the machine nobody owns, to the page: `xl info`
 * rounds to MiB. One hypercall through the kernel's /dev/xen/privcmd.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define HYPERCALL_SYSCTL	35
#define SYSCTL_VERSION		0x15	/* of release 4.17 */
#define SYSCTL_PHYSINFO		3
#define SYSCTL_SIZE		136
#define OFFSET_FREE_PAGES	56	/* 8 of the head, 48 in physinfo */

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};

#define IOCTL_PRIVCMD_HYPERCALL	_IOC(_IOC_NONE, 'P', 0, \
				     sizeof(struct privcmd_hypercall))

int main(void)
{
	static uint32_t call[SYSCTL_SIZE / 4] __attribute__((aligned(256)));
	struct privcmd_hypercall hc = {
		HYPERCALL_SYSCTL, { (uintptr_t)call }
	};
	uint64_t pages;
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

	call[0] = SYSCTL_PHYSINFO;
	call[1] = SYSCTL_VERSION;
	if (fd < 0 || mlock(call, sizeof(call)) ||
	    ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &hc) < 0) {
		perror("freepages");
		return 1;
	}
	memcpy(&pages, (char *)call + OFFSET_FREE_PAGES, sizeof(pages));
	printf("%llu\n", (unsigned long long)pages);
	return 0;
}
