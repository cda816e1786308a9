/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three guests of the chain untrusted, filter, trusted have agreed
 * on. A frame is a message whose id is that of the CAN bus, of at most 8
 * bytes; its first byte counts the frames of this id. filter.cfg is the rest.
 */
#ifndef FRAME_H
#define FRAME_H

#define BOX ((void *)0x50000000u)    /* untrusted and filter */
#define OUTBOX ((void *)0x51000000u) /* filter and trusted */
#define BOX_BYTES 4096u

#define PORT_UNTRUSTED 10u
#define PORT_FILTER 11u
#define PORT_FILTER_OUT 12u
#define PORT_TRUSTED 13u

#define ID_SPEED 0x100u
#define ID_BRAKE 0x110u
#define ID_DOOR 0x200u

#endif
