/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door to Xen's public interface headers (Debian's libxen-dev).
 * Nothing else in the tree includes <xen/...>.
 *
 * The interface is Arm64's on every build, also when the host compiles the
 * core for unit tests, so the headers must not see the host's architecture.
 */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#include <stddef.h>
#include <stdint.h>

#pragma push_macro("__x86_64__")
#pragma push_macro("__i386__")
#pragma push_macro("__aarch64__")
#undef __x86_64__
#undef __i386__
#undef __aarch64__
#define __aarch64__ 1

#define __XEN_INTERFACE_VERSION__ 0x00041100
#define __XEN_TOOLS__ 1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <xen/xen.h>
#include <xen/arch-arm.h>
#include <xen/device_tree_defs.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/trace.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#pragma GCC diagnostic pop

#pragma pop_macro("__x86_64__")
#pragma pop_macro("__i386__")
#pragma pop_macro("__aarch64__")

#endif
