/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between two domains over memory that both have: one bounded ring
 * each way, one writer and one reader for each. docs/ipc.md is the protocol.
 *
 * Trust   none. The other side can write anything into the shared memory at
 *         any time. It can make this side lose messages, get nonsense in the
 *         data of one, or be told BH_CORRUPT; never reach beyond the rings or
 *         the caller's message, and never have a call take long.
 * Needs   C11 atomics (only loads and stores, to 64 bits), normal cacheable
 *         memory, bh_event_send(). No heap, no library.
 * Locks   none: one CPU at a time uses a struct bh_link.
 */
#ifndef BH_LINK_H
#define BH_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes of data of a message; both sides need the same. A multiple of 8. */
#ifndef BH_DATA_BYTES
#define BH_DATA_BYTES 56u
#endif

struct bh_message {
	uint32_t id;     /* the application's */
	uint32_t length; /* bytes of data that count */
	union {
		uint8_t bytes[BH_DATA_BYTES];
		uint64_t words[BH_DATA_BYTES / 8];
	} data;
};

enum bh_result {
	BH_OK,
	BH_EMPTY,    /* nothing has come */
	BH_FULL,     /* the other side has to read first */
	BH_DOWN,     /* the other side is not there, or not ready yet */
	BH_NEW,      /* told once: it has begun (again). What was under way to
			it is lost, and so is what came from it unread */
	BH_CORRUPT,  /* it broke the rules: until bh_link_restart(), or until
			the other side begins again */
	BH_MISMATCH, /* it has another version, number or size of messages */
	BH_BAD_CALL, /* too long a message, or memory that does not fit */
};

/* Shared memory that is needed for so many messages (2^n) each way. */
#define BH_LINK_BYTES(slots) (128u + 2u * (slots) * sizeof(struct bh_message))

struct bh_link_config {
	void *memory;   /* in this domain's addresses, on a multiple of 64 */
	uint64_t bytes; /* used: BH_LINK_BYTES() of the most that fits */
	uint32_t side;  /* 0 or 1; the other side has the other one */
	uint32_t port;  /* of the event channel to the other side */
};

/* What one side tells the other: 64 bytes that only it writes. */
struct bh_line {
	_Atomic uint32_t magic;
	_Atomic uint32_t shape;
	_Atomic uint32_t epoch; /* which life of mine; 0: not ready */
	_Atomic uint32_t seen;  /* the life of yours that I talk to */
	_Atomic uint32_t head;  /* messages that I wrote, in these lives */
	_Atomic uint32_t tail;  /* messages that I read */
	uint32_t unused[10];
};

/* Private; nothing in it comes from the other side unchecked. */
struct bh_link {
	struct bh_line *mine;
	struct bh_line *theirs;
	_Atomic uint64_t *out; /* the slots that I write */
	_Atomic uint64_t *in;
	uint32_t slots;
	uint32_t port;
	uint32_t epoch;
	uint32_t peer; /* epoch of the other side, 0: none yet */
	uint32_t head;
	uint32_t tail;
	bool up;
	bool broken;
};

/*
 * To be called once in each life of the domain, before anything else; it does
 * not matter who comes first. BH_OK or BH_BAD_CALL.
 */
enum bh_result bh_link_open(struct bh_link *l, const struct bh_link_config *c);

/* After BH_CORRUPT, or to say that all before is forgotten. */
void bh_link_restart(struct bh_link *l);

/* BH_OK, FULL, DOWN, NEW, CORRUPT, MISMATCH, BAD_CALL; sends events itself. */
enum bh_result bh_send(struct bh_link *l, const struct bh_message *m);

/*
 * BH_OK, EMPTY, DOWN, NEW, CORRUPT, MISMATCH. Whoever goes to sleep does it
 * after EMPTY or DOWN: then the next message, or the other side's arrival,
 * comes with an event.
 */
enum bh_result bh_receive(struct bh_link *l, struct bh_message *m);

/*
 * What has come, @most of it, to @each; a link that is BH_CORRUPT begins
 * again, a new life of the other side is passed over. True: there may be more,
 * and who goes to sleep now may sleep too long.
 */
bool bh_receive_some(struct bh_link *l, uint32_t most,
		     void (*each)(struct bh_message *m));

#endif
