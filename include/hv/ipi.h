/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to another CPU: look at your work word, run a function, stop. */
#ifndef HV_IPI_H
#define HV_IPI_H

#include <lib/types.h>

void ipi_kick(uint16_t cpu);
/* Post @fn to run on @cpu at its next work point; -EBUSY: slot taken. */
__must_check int ipi_post_call(uint16_t cpu, void (*fn)(void *arg), void *arg);
void ipi_run_calls(void);
/* The interrupt path took IPI @sgi (enum ipi). */
void ipi_handle(uint32_t sgi);
/* Park all other CPUs (panic, reboot); bounded wait. */
void ipi_stop_others(void);

#endif
