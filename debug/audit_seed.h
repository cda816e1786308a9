/* SPDX-License-Identifier: Apache-2.0 */
/* Checking build: keys that make what the auditor must find. */
#ifndef DEBUG_AUDIT_SEED_H
#define DEBUG_AUDIT_SEED_H

/*
 * The first makes its fault between dom0 and the domain with the highest id,
 * the next one of any of them takes it back.
 */
void key_seed_stale(void);
void key_seed_twice(void);
void key_seed_irq(void);
void key_seed_owner(void);
void key_seed_foreign(void);
void key_seed_grant(void);
void key_seed_hypervisor(void);
void key_seed_device(void);
/*
 * A stream of dom0's, on a machine with an SMMUv3: by the other domain's
 * tables, also when there is no such domain any more; by none.
 */
void key_seed_stream(void);
void key_seed_bypass(void);

#endif
