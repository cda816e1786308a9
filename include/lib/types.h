/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address and frame types. Each kind of address is its own struct, so that
 * mixing a guest address with a machine address does not compile.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Machine (physical) address, intermediate physical address, guest virtual. */
typedef struct {
	uint64_t v;
} paddr_t;
typedef struct {
	uint64_t v;
} ipa_t;
typedef struct {
	uint64_t v;
} gva_t;

/* Machine frame number and guest frame number, in units of PAGE_SIZE. */
typedef struct {
	uint64_t v;
} mfn_t;
typedef struct {
	uint64_t v;
} gfn_t;


#define PAGE_SHIFT 12
#define PAGE_SIZE UINT64_C(4096)
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define INVALID_FRAME (~UINT64_C(0))

static inline paddr_t paddr(uint64_t v)
{
	return (paddr_t){ v };
}

static inline ipa_t ipa(uint64_t v)
{
	return (ipa_t){ v };
}

static inline gva_t gva(uint64_t v)
{
	return (gva_t){ v };
}

static inline mfn_t mfn(uint64_t v)
{
	return (mfn_t){ v };
}

static inline gfn_t gfn(uint64_t v)
{
	return (gfn_t){ v };
}

static inline mfn_t paddr_to_mfn(paddr_t pa)
{
	return mfn(pa.v >> PAGE_SHIFT);
}

static inline paddr_t mfn_to_paddr(mfn_t m)
{
	return paddr(m.v << PAGE_SHIFT);
}

static inline gfn_t ipa_to_gfn(ipa_t a)
{
	return gfn(a.v >> PAGE_SHIFT);
}

static inline ipa_t gfn_to_ipa(gfn_t g)
{
	return ipa(g.v << PAGE_SHIFT);
}

#define __must_check __attribute__((warn_unused_result))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
/* Data that is written during boot only and is read-only afterwards. */
#define __ro_after_boot __attribute__((section(".data.ro_after_boot")))
/* The same for large zeroed data, which then takes no room in the image. */
#define __sealed __attribute__((section(".bss.sealed")))
/* boot/ only: what is in it at first is anything. */
#define __noinit __attribute__((section(".bss.noinit")))
#define __cold __attribute__((cold))

#define __force_inline inline __attribute__((always_inline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member)                                       \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define STATIC_ASSERT(cond, msg) _Static_assert(cond, msg)

#endif
