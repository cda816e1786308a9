/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_domains.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "fake_tree.h"

void fake_tree_text(void *fdt, const char *path, const char *prop,
		    const char *value)
{
	cr_assert_eq(
		fdt_setprop_string(fdt, fake_tree_node(fdt, path), prop, value),
		0);
}

void fake_tree_flag(void *fdt, const char *path, const char *prop)
{
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, path), prop, NULL, 0),
		     0);
}

void fake_tree_drop(void *fdt, const char *path, const char *prop)
{
	cr_assert_eq(fdt_delprop(fdt, fake_tree_node(fdt, path), prop), 0);
}

void fake_module(void *fdt, const char *dom, const char *name,
			const char *kind, uint32_t at)
{
	char compatible[64];
	char path[64];
	int len = snprintf(compatible, sizeof(compatible),
			   "%s%cmultiboot,module", kind, 0) +
		  1;

	fake_tree_add(fdt, dom, name, NULL);
	snprintf(path, sizeof(path), "%s/%s", dom, name);
	cr_assert_eq(fdt_setprop(fdt, fake_tree_node(fdt, path), "compatible",
				 compatible, len),
		     0);
	CELLS(fdt, path, "reg", 0, at, 0, 0x100000);
}

void fake_domain_add(void *fdt, const char *name, uint32_t kernel_at)
{
	char path[32];

	fake_tree_add(fdt, "/chosen", name, "xen,domain");
	snprintf(path, sizeof(path), "/chosen/%s", name);
	CELLS(fdt, path, "#address-cells", 2);
	CELLS(fdt, path, "#size-cells", 2);
	CELLS(fdt, path, "memory", 0, 65536);
	CELLS(fdt, path, "cpus", 2);
	fake_module(fdt, path, "module@1", "multiboot,kernel",
			   kernel_at);
}

void *fake_domains(int gic_version)
{
	void *fdt = fake_tree(gic_version);

	/* libfdt puts new nodes first: they come in the order of the names. */
	fake_domain_add(fdt, "third", 0x62000000);
	fake_domain_add(fdt, "bad", KERNEL_AT);
	fake_domain_add(fdt, "first", 0x61000000);
	return fdt;
}
