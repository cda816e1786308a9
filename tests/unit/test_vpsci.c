/* SPDX-License-Identifier: Apache-2.0 */
// LINK: arch/arm64/vdev/vpsci.c arch/arm64/trap/smccc.c core/lock.c
// LINK: tests/fakes/fake_sysreg.c
// CFLAGS: -include tests/fakes/fake_sysreg.h -UCONFIG_DEBUG
#include <criterion/criterion.h>

#include <abi/smccc.h>
#include <arch/errata.h>
#include <arch/trap.h>
#include <hv/arch.h>
#include <hv/domain.h>

#define NR	20
#define GARBAGE UINT64_C(0xdead000000000000)
#define ENTRY	UINT64_C(0x40080000)

static struct domain dom;
static struct vcpu storage[NR], *vcpu[NR];
static uint8_t shutdown_code;
static unsigned int blocks, resets, onlines;
static void (*in_online)(struct vcpu *v); /* once: another CPU's turn */

/* ---- what it calls ------------------------------------------------------- */

void arch_vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0)
{
	resets++;
	v->arch.regs.pc = pc;
	v->arch.regs.x[0] = x0;
}

void vcpu_online(struct vcpu *v)
{
	void (*hook)(struct vcpu *) = in_online;

	in_online = NULL;
	if (hook) {
		hook(v);
	}
	onlines++;
	v->state = VCPU_RUNNABLE;
	v->loaded_on = 1;
}

void vcpu_offline(struct vcpu *v)
{
	v->state = VCPU_OFFLINE;
}

void vcpu_block(struct vcpu *v)
{
	(void)v;
	blocks++;
}

bool vcpu_is_descheduled(const struct vcpu *v)
{
	return v->loaded_on == CPU_NONE;
}

void domain_shutdown(struct domain *d, uint8_t code)
{
	(void)d;
	shutdown_code = code;
}

int errata_smccc_workaround(uint32_t fid)
{
	return fid == SMCCC_ARCH_WORKAROUND_1 ? 0 : -1;
}

void errata_smccc_call(uint32_t fid)
{
	(void)fid;
}

void arch_cpu_relax(void)
{
}

bool sip_call(struct vcpu *v)
{
	(void)v;
	return false;
}

/* ---- help ---------------------------------------------------------------- */

static void setup(void)
{
	dom.vcpu = vcpu;
	dom.max_vcpus = dom.nr_vcpus = NR;
	spin_lock_init(&dom.lock, LOCK_RANK_DOMAIN);
	for (uint32_t i = 0; i < NR; i++) {
		vcpu[i] = &storage[i];
		vcpu[i]->id = i;
		vcpu[i]->domain = &dom;
		vcpu[i]->arch.vmpidr = 1u << 31 | (i & 0xf) | (i >> 4) << 8;
		vcpu[i]->loaded_on = CPU_NONE;
	}
	vcpu[0]->state = VCPU_RUNNING;
	vcpu[0]->loaded_on = 0;
}

TestSuite(vpsci, .init = setup);

static int64_t call(uint32_t fid, uint64_t a, uint64_t b, uint64_t c)
{
	struct guest_regs *r = &vcpu[0]->arch.regs;

	r->x[0] = fid | GARBAGE; /* W0 counts */
	r->x[1] = a;
	r->x[2] = b;
	r->x[3] = c;
	smccc_call(vcpu[0]);
	return (int64_t)r->x[0];
}

/* ---- CPU_ON -------------------------------------------------------------- */

#define ON32 PSCI_CPU_ON
#define ON64 (PSCI_CPU_ON | PSCI_64BIT)

Test(vpsci, cpu_on_arguments)
{
	static const struct {
		uint32_t fid;
		uint64_t mpidr, entry;
		int rc;
		uint32_t id; /* who came on */
	} rows[] = {
		{ON64, 1, ENTRY, PSCI_SUCCESS, 1},
		{ON64, 0x103, ENTRY, PSCI_SUCCESS, 19},
		{ON32, 2 | GARBAGE, ENTRY | GARBAGE, PSCI_SUCCESS, 2},
		{ON64, 1, ENTRY, PSCI_ALREADY_ON, 0},
		{ON64, 0, ENTRY, PSCI_ALREADY_ON, 0},
		{ON64, 3, ENTRY | 1, PSCI_INVALID_ADDRESS, 0},
		{ON64, 3, ENTRY | 2, PSCI_INVALID_ADDRESS, 0},
		{ON64, 0x10, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, 0x104, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, 0x10003, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, 3 | GARBAGE, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, 3 | 1ull << 32, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, 3 | 1u << 31, ENTRY, PSCI_INVALID_PARAMETERS, 0},
		{ON64, UINT64_MAX, ENTRY, PSCI_INVALID_PARAMETERS, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct guest_regs *r = &vcpu[rows[i].id]->arch.regs;

		cr_assert_eq(call(rows[i].fid, rows[i].mpidr, rows[i].entry,
				  GARBAGE | 7),
			     rows[i].rc, "row %zu", i);
		cr_assert(rows[i].id == 0 || r->pc == ENTRY);
		cr_assert(rows[i].id == 0 ||
			  r->x[0] == (rows[i].fid == ON32 ? 7 : GARBAGE | 7));
		cr_assert_not(dom.lock.held);
	}
	cr_assert_eq(resets, 3);
	cr_assert_eq(onlines, 3);
}

Test(vpsci, cpu_on_before_it_is_quite_off)
{
	vcpu[1]->loaded_on = 2;
	cr_assert_eq(call(ON64, 1, ENTRY, 0), PSCI_ON_PENDING);
	cr_assert_eq(resets + onlines, 0);
}

/* Another vCPU's CPU_ON of the same one comes just now. */
static void second_cpu_on(struct vcpu *t)
{
	if (dom.lock.held) {
		return; /* it has to wait */
	}
	cr_assert_lt(call(ON64, t->arch.vmpidr & 0xff, ENTRY + 8, 0), 0,
		     "started twice");
}

Test(vpsci, two_cpu_on_one_start)
{
	in_online = second_cpu_on;
	cr_assert_eq(call(ON64, 1, ENTRY, 0), PSCI_SUCCESS);
	cr_assert_eq(resets, 1);
	cr_assert_eq(vcpu[1]->arch.regs.pc, ENTRY);
}

/* ---- AFFINITY_INFO ------------------------------------------------------- */

#define INFO32 PSCI_AFFINITY_INFO
#define INFO64 (PSCI_AFFINITY_INFO | PSCI_64BIT)

/* vCPU 0 is on; the others, in two clusters, are off. */
Test(vpsci, affinity_info)
{
	static const struct {
		uint32_t fid;
		uint64_t mpidr, level;
		int rc;
	} rows[] = {
		{INFO64, 0, 0, 0},
		{INFO64, 1, 0, 1},
		{INFO64, 0x103, 0, 1},
		{INFO64, 0x104, 0, PSCI_INVALID_PARAMETERS},
		{INFO64, 0, 1, 0},
		{INFO64, 0xff, 1, 0},
		{INFO64, 0x100, 1, 1},
		{INFO64, 0x200, 1, PSCI_INVALID_PARAMETERS},
		{INFO64, 0x100, 2, 0},
		{INFO64, 0x10000, 2, PSCI_INVALID_PARAMETERS},
		{INFO64, 0x10000, 3, 0},
		{INFO64, 1ull << 32, 3, PSCI_INVALID_PARAMETERS},
		{INFO64, 0, 4, PSCI_INVALID_PARAMETERS},
		{INFO64, 0, UINT32_MAX, PSCI_INVALID_PARAMETERS},
		{INFO64, 1ull << 32, 0, PSCI_INVALID_PARAMETERS},
		{INFO32, 1ull << 32, 0, 0}, /* W1 counts */
		{INFO32, 1 | 0xffull << 32, 0, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(call(rows[i].fid, rows[i].mpidr, rows[i].level, 0),
			     rows[i].rc, "row %zu", i);
	}
	vcpu[1]->loaded_on = 2; /* who sees it off may start it */
	cr_assert_eq(call(INFO64, 1, 0, 0), 0);
}

/* ---- the rest ------------------------------------------------------------ */

Test(vpsci, calls_and_their_answers)
{
	static const struct {
		uint32_t fid;
		uint64_t arg;
		int64_t rc;
	} rows[] = {
		{PSCI_VERSION, 0, 0x10001},
		{PSCI_VERSION | PSCI_64BIT, 0, -1},
		{PSCI_CPU_SUSPEND, 0, 0},
		{PSCI_CPU_SUSPEND | PSCI_64BIT, 0x10000, 0},
		{PSCI_MIGRATE, 0, -1},
		{PSCI_MIGRATE_INFO_TYPE, 0, 2},
		{PSCI_FEATURES, PSCI_CPU_ON, 0},
		{PSCI_FEATURES, ON64 | GARBAGE, 0},
		{PSCI_FEATURES, PSCI_VERSION | PSCI_64BIT, -1},
		{PSCI_FEATURES, PSCI_MIGRATE, -1},
		{PSCI_FEATURES, SMCCC_VERSION, 0},
		{PSCI_FEATURES, 0, -1},
		{0x8400001f, 0, -1},
		{0x84000020, 0, -1}, /* 32 functions are not all */
		{0x84000023, 0, -1},
		{0x04000003, 0, -1}, /* not a fast call */
		{0x85000003, 0, -1}, /* another owner */
		{SMCCC_VERSION, 0, 0x10001},
		{SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0},
		{SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0},
		{SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2, -1},
		{SMCCC_ARCH_FEATURES, PSCI_VERSION, -1},
		{SMCCC_ARCH_WORKAROUND_1, 0, 0},
		{SMCCC_HYP_CALL_COUNT, 0, 3},
		{SMCCC_HYP_CALL_UID, 0, 0xdc1218a7},
		{0x8600ff01, 0, -1}, /* the vendor's service */
		{SMCCC_HYP_REVISION, 0, 0},
		{SMCCC_STD_CALL_COUNT, 0, 15},
		{SMCCC_STD_CALL_UID, 0, 0x6f3863f8},
		{SMCCC_STD_REVISION, 0, 0},
		{0, 0, -1},
		{UINT32_MAX, 0, -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_eq(call(rows[i].fid, rows[i].arg, 0, 0), rows[i].rc,
			     "row %zu", i);
	}
	cr_assert_eq(blocks, 2);
}

/* [XEN] smccc.h has them; it includes what only Xen's own tree has. */
#define UID_HYP                                                               \
	XEN_DEFINE_UUID(0xa71812dc, 0xc698, 0x4369, 0x9acf, 0x79, 0xd1, 0x8d, \
			0xde, 0xe6, 0x67)
#define UID_STD                                                               \
	XEN_DEFINE_UUID(0xf863386f, 0x4b39, 0x4cbd, 0x9220, 0xce, 0x16, 0x41, \
			0xe5, 0x9f, 0x6f)

Test(vpsci, identities)
{
	static const struct {
		uint32_t fid;
		xen_uuid_t uuid;
	} of[] = {
		{SMCCC_HYP_CALL_UID, UID_HYP},
		{SMCCC_STD_CALL_UID, UID_STD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const uint64_t *x = vcpu[0]->arch.regs.x;

		call(of[i].fid, 0, 0, 0);
		for (size_t n = 0; n < 4; n++) {
			uint32_t word;

			memcpy(&word, &of[i].uuid.a[4 * n], sizeof(word));
			cr_assert_eq(x[n], word);
		}
	}
	call(SMCCC_STD_REVISION, 0, 0, 0);
	cr_assert_eq(vcpu[0]->arch.regs.x[1], 1);
}

Test(vpsci, the_ways_to_stop)
{
	cr_assert_eq(call(PSCI_SYSTEM_RESET, 0, 0, 0), PSCI_INTERNAL_FAILURE);
	cr_assert_eq(shutdown_code, SHUTDOWN_reboot);
	cr_assert_eq(call(PSCI_SYSTEM_OFF, 0, 0, 0), PSCI_INTERNAL_FAILURE);
	cr_assert_eq(shutdown_code, SHUTDOWN_poweroff);
	call(PSCI_CPU_OFF, 0, 0, 0);
	cr_assert_eq(vcpu[0]->state, VCPU_OFFLINE);
}
