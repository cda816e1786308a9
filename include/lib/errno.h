/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error numbers: 0 or -Exxx everywhere. The values are the Xen ABI's, tied to
 * the public header by static_asserts in tests/abi.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

enum {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	ENXIO = 6,
	E2BIG = 7,
	EBADF = 9,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EFAULT = 14,
	EBUSY = 16,
	EEXIST = 17,
	EXDEV = 18,
	ENODEV = 19,
	EINVAL = 22,
	ENOSPC = 28,
	EROFS = 30,
	ERANGE = 34,
	ENOSYS = 38,
	ENODATA = 61,
	ETIME = 62,
	EOVERFLOW = 75,
	EOPNOTSUPP = 95,
	EADDRNOTAVAIL = 99,
	ENOBUFS = 105,
};

#endif
