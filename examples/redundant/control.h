/* SPDX-License-Identifier: Apache-2.0 */
/* What the arbiter and its two controllers agree on; redundant.cfg is the rest. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#define BOX_LEFT ((void *)0x50000000u) /* the arbiter's; each controller */
#define BOX_RIGHT ((void *)0x51000000u) /* has its own at the first */
#define BOX_BYTES 4096u

#define PORT_LEFT 10u /* the arbiter's */
#define PORT_RIGHT 12u
#define PORT_CONTROLLER 11u /* the same in both: one program */

#define LIMIT 1000 /* of a command, either way */

/* Messages by their id. */
#define ID_SAMPLE 1u  /* struct sample; is answered */
#define ID_COMMAND 2u /* struct command */
#define ID_CRASH 3u   /* faults that are asked for */
#define ID_HANG 4u
#define ID_LIE 5u

/*
 * The state goes with the sample: who has just begun is in step with the other
 * one at once.
 */
struct sample {
	uint32_t tick;
	int32_t error;	  /* wanted - measured */
	int32_t integral; /* of the last command that was taken */
};

struct command {
	uint32_t tick; /* of its sample */
	int32_t command;
	int32_t integral;
};

#endif
