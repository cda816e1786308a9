/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical CPUs off line and on again through the control domain's stock
 * libxenctrl, as Xen's xen-hptool does it, which Debian builds for x86 only:
 *   cpus [off CPU | on CPU]...
 * Ends at the first that is refused, and says why.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int cpu_fn(void *xc, int cpu);

static void *must(void *p, const char *what)
{
	if (!p) {
		fprintf(stderr, "%s: %s\n", what, dlerror());
		exit(2);
	}
	return p;
}

int main(int argc, char **argv)
{
	void *lib = must(dlopen("libxenctrl.so.4.17", RTLD_NOW), "dlopen");
	void *(*open_xc)(void *, void *, unsigned int) =
		must(dlsym(lib, "xc_interface_open"), "open");
	cpu_fn *on = must(dlsym(lib, "xc_cpu_online"), "on");
	cpu_fn *off = must(dlsym(lib, "xc_cpu_offline"), "off");
	void *xc = must(open_xc(NULL, NULL, 0), "the interface");

	for (int i = 1; i + 1 < argc; i += 2) {
		cpu_fn *fn = strcmp(argv[i], "on") == 0 ? on : off;

		if (fn(xc, atoi(argv[i + 1])) != 0) {
			printf("%s %s: %s\n", argv[i], argv[i + 1],
			       strerror(errno));
			return 1;
		}
	}
	return 0;
}
