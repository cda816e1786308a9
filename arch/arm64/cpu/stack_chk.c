/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's libfdt is compiled with the stack protector and wants these two.
 * Boot only: nothing else in the image is.
 */
#include <hv/entry.h>

extern uintptr_t __stack_chk_guard;
void __stack_chk_fail(void);

uintptr_t __stack_chk_guard = (uintptr_t)0x5bd1e995a7c3f00d;

void __stack_chk_fail(void)
{
	panic("stack overrun in device tree handling");
}
