/* SPDX-License-Identifier: Apache-2.0 */
/* What the two guests of this example have agreed on; messages.cfg is the rest. */
#ifndef WORDS_H
#define WORDS_H

#define BOX ((void *)0x50000000u) /* the shared memory, in both */
#define BOX_BYTES 4096u

#define PORT_ASKS 10u    /* the event channel's ends */
#define PORT_ANSWERS 11u

/* Messages by their id. */
#define ID_TEXT 1u  /* comes back in capitals */
#define ID_CRASH 2u /* "crash, please" */
#define ID_STAMP 3u /* comes back as struct stamps */

/* Values of the machine's counter. */
struct stamps {
	uint64_t sent;
	uint64_t handler;  /* the interrupt had come to the other guest */
	uint64_t received; /* it had the message */
};

#endif
