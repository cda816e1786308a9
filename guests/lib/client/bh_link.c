/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rings in shared memory. Each index of the other side is loaded once,
 * into a local, and compared with an own one that is in private memory; slots
 * are numbered by own indices only.
 *
 * Order   A writer stores the message, then its head (release); a reader loads
 *         the head (acquire), then the message, then stores its tail (release);
 *         the writer loads the tail (acquire) before it uses the slot again.
 *         Where one side stores and then looks whether the other one has to be
 *         woken, a full fence is between, on both sides.
 * Lives   docs/ipc.md. A side that begins has epoch 0 while it clears its line.
 */
#include "bh_link.h"

#include "bh_event.h"

#define MAGIC 0x4b4e4c42u /* "BLNK" */
#define VERSION 1u
#define LINE_BYTES 64u
#define MOST_SLOTS 32768u
#define MESSAGE_WORDS (sizeof(struct bh_message) / 8)

_Static_assert(sizeof(struct bh_line) == LINE_BYTES, "a cache line");
_Static_assert(BH_DATA_BYTES % 8 == 0 && BH_DATA_BYTES < 65536, "whole words");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
	        "the other side knows no lock");

static uint32_t shape_of(const struct bh_link *l)
{
	return VERSION << 28 | (uint32_t)__builtin_ctz(l->slots) << 16 |
	       BH_DATA_BYTES;
}

static uint32_t load(_Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

/* All that was stored before is there for whoever sees this. */
static void store(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* Of a message: in no order. */
static uint64_t load_word(_Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store_word(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void full_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* ---- lives --------------------------------------------------------------- */

/*
 * All of my line, for the two lives that l->epoch and l->peer (0: none yet)
 * are. What somebody else has written there is gone.
 */
static void begin(struct bh_link *l)
{
	l->head = 0;
	l->tail = 0;
	l->up = false;
	l->broken = false;
	store(&l->mine->head, 0);
	store(&l->mine->tail, 0);
	store(&l->mine->magic, MAGIC);
	store(&l->mine->shape, shape_of(l));
	store(&l->mine->seen, l->peer);
	store(&l->mine->epoch, l->epoch);
	bh_event_send(l->port);
}

void bh_link_restart(struct bh_link *l)
{
	l->peer = 0;
	l->epoch++;
	if (l->epoch == 0) {
		l->epoch = 1;
	}
	store(&l->mine->epoch, 0);
	/* Who sees any of what follows sees that this life is over. */
	full_fence();
	begin(l);
}

enum bh_result bh_link_open(struct bh_link *l, const struct bh_link_config *c)
{
	struct bh_line *lines = c->memory;
	_Atomic uint64_t *slots;

	if (c->side > 1 || (uintptr_t)c->memory % LINE_BYTES != 0 ||
	    c->bytes < BH_LINK_BYTES(1)) {
		return BH_BAD_CALL;
	}
	l->slots = 1;
	while (l->slots < MOST_SLOTS &&
	       BH_LINK_BYTES(2 * l->slots) <= c->bytes) {
		l->slots *= 2;
	}
	slots = (_Atomic uint64_t *)&lines[2];
	l->mine = &lines[c->side];
	l->theirs = &lines[1 - c->side];
	l->out = slots + c->side * l->slots * MESSAGE_WORDS;
	l->in = slots + (1 - c->side) * l->slots * MESSAGE_WORDS;
	l->port = c->port;
	/* Another one than in the last life, which this memory outlived. */
	l->epoch = load(&l->mine->epoch);
	bh_link_restart(l);
	return BH_OK;
}

/* The other side has another epoch than the one that was known. */
static enum bh_result meet(struct bh_link *l, uint32_t epoch)
{
	l->up = false;
	if (epoch == 0) {
		return BH_DOWN;
	}
	if (load(&l->theirs->magic) != MAGIC) {
		return BH_DOWN; /* not a line yet */
	}
	if (load(&l->theirs->shape) != shape_of(l)) {
		return BH_MISMATCH;
	}
	l->peer = epoch;
	begin(l);
	return BH_NEW;
}

/* BH_OK when both sides talk about the same two lives. */
static enum bh_result check_peer(struct bh_link *l)
{
	uint32_t epoch = load(&l->theirs->epoch);

	if (epoch != l->peer) {
		return meet(l, epoch);
	}
	if (epoch == 0) {
		return BH_DOWN;
	}
	if (l->broken) {
		return BH_CORRUPT;
	}
	if (!l->up) {
		l->up = load(&l->theirs->seen) == l->epoch;
	}
	return l->up ? BH_OK : BH_DOWN;
}

/*
 * What was read makes no sense, or is not certain: of a life that ended
 * meanwhile, or against the rules.
 */
static enum bh_result distrust(struct bh_link *l)
{
	uint32_t epoch = load(&l->theirs->epoch);

	if (epoch != l->peer) {
		return meet(l, epoch);
	}
	l->broken = true;
	return BH_CORRUPT;
}

/* ---- messages ------------------------------------------------------------ */

static uint32_t words_of(uint32_t length)
{
	return (length + 7) / 8;
}

/* Not a bit of the caller's memory beyond the message goes out. */
static void put_slot(_Atomic uint64_t *slot, const struct bh_message *m)
{
	uint32_t rest = m->length % 8;
	uint32_t n = m->length / 8;

	store_word(slot, m->id | (uint64_t)m->length << 32);
	for (uint32_t i = 0; i < n; i++) {
		store_word(&slot[1 + i], m->data.words[i]);
	}
	if (rest) {
		store_word(&slot[1 + n], m->data.words[n] &
			   ((UINT64_C(1) << 8 * rest) - 1));
	}
}

/* False when the length is impossible. The slot may change all the time. */
static bool take_slot(_Atomic uint64_t *slot, struct bh_message *m)
{
	uint64_t head = load_word(slot);
	uint32_t length = (uint32_t)(head >> 32);

	if (length > BH_DATA_BYTES) {
		return false;
	}
	m->id = (uint32_t)head;
	m->length = length;
	for (uint32_t i = 0; i < words_of(length); i++) {
		m->data.words[i] = load_word(&slot[1 + i]);
	}
	return true;
}

static _Atomic uint64_t *slot_of(const struct bh_link *l,
				 _Atomic uint64_t *slots, uint32_t index)
{
	return slots + (index & (l->slots - 1)) * MESSAGE_WORDS;
}

enum bh_result bh_send(struct bh_link *l, const struct bh_message *m)
{
	enum bh_result r;
	uint32_t used;

	if (m->length > BH_DATA_BYTES) {
		return BH_BAD_CALL;
	}
	r = check_peer(l);
	if (r != BH_OK) {
		return r;
	}
	used = l->head - load(&l->theirs->tail);
	if (used > l->slots) {
		return distrust(l);
	}
	if (used == l->slots) {
		return BH_FULL;
	}
	put_slot(slot_of(l, l->out, l->head), m);
	store(&l->mine->head, l->head + 1);
	/* The reader stores its tail, fences, and looks at our head. */
	full_fence();
	if (load(&l->theirs->tail) == l->head) {
		bh_event_send(l->port); /* it had read all: it may sleep */
	}
	l->head++;
	return BH_OK;
}

/* Messages that wait, more than there are slots when the peer is wrong. */
static uint32_t waiting(struct bh_link *l)
{
	return load(&l->theirs->head) - l->tail;
}

enum bh_result bh_receive(struct bh_link *l, struct bh_message *m)
{
	enum bh_result r = check_peer(l);
	uint32_t n;

	if (r != BH_OK) {
		return r;
	}
	n = waiting(l);
	if (n == 0) {
		return BH_EMPTY;
	}
	if (n > l->slots || !take_slot(slot_of(l, l->in, l->tail), m)) {
		return distrust(l);
	}
	atomic_thread_fence(memory_order_acquire);
	if (load(&l->theirs->epoch) != l->peer) {
		return distrust(l);
	}
	l->tail++;
	store(&l->mine->tail, l->tail);
	/* The writer stores its head, fences, and looks at our tail. */
	full_fence();
	if (waiting(l) == l->slots - 1) {
		bh_event_send(l->port); /* it was full: the writer may sleep */
	}
	return BH_OK;
}

bool bh_receive_some(struct bh_link *l, uint32_t most,
		     void (*each)(struct bh_message *m))
{
	struct bh_message m;

	for (uint32_t i = 0; i < most; i++) {
		enum bh_result r = bh_receive(l, &m);

		if (r == BH_OK) {
			each(&m);
		} else if (r == BH_CORRUPT) {
			bh_link_restart(l);
		} else if (r != BH_NEW) {
			return false;
		}
	}
	return true;
}
