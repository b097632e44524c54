/*
 * ring -- see ring.h.
 *
 * A piece is a chain of slots.  `next` is where to look for a free one: each
 * writer takes a number, and has the slot of that number if it is free.  Once
 * the reader has emptied all, it sets next back to the first, so that little
 * traffic touches few pages; past the last slot there is no room.
 *
 * The state of a slot is one word: free, taken by a process, or the ready
 * head of a chain, whose other slots stay taken.  So a chain is there or not:
 * nothing but the word of its head decides.
 */
#include "ring.h"

#include "buf.h"
#include "process.h"
#include "shared.h"

#include <unistd.h>

#define MAGIC UINT64_C(0x5365676f61526e32)
#define FILE_SIZE (4 * 1024 * 1024)
#define HEAD_SIZE 4096
#define SLOT_SIZE 2048
#define SLOTS ((FILE_SIZE - HEAD_SIZE) / SLOT_SIZE)
#define SLOT_DATA (SLOT_SIZE - 24)
#define PIECE_MAX ((size_t)64 * SLOT_DATA)
#define NO_SLOT UINT32_MAX
#define LOOK_AT_ALL 64 /* every so many times that the reader looks */

/*
 * A state: what it is, and whose.  A pid may come again, but not with the
 * same start.
 *
 *	bits  0..39  when the process was started, in clock ticks after boot
 *	bits 40..61  its pid
 *	bits 62..63  free 0, taken 1, ready 2
 */
#define START_MASK ((UINT64_C(1) << 40) - 1)
#define PID_SHIFT 40
#define PID_MASK UINT64_C(0x3fffff)
#define KIND_SHIFT 62
#define FREE UINT64_C(0)
enum { TAKEN = 1, READY = 2 };

struct slot {
	_Atomic uint64_t state;
	uint64_t number; /* of the piece: their order */
	uint32_t len;
	uint32_t after; /* the next of the chain; NO_SLOT: this is the last */
	char data[SLOT_DATA];
};

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	_Alignas(SHARED_LINE) _Atomic uint64_t next;
	_Alignas(SHARED_LINE) _Atomic uint64_t pieces;
	_Alignas(SHARED_LINE) _Atomic uint64_t high; /* what next ever was */
	_Atomic uint64_t dropped;
	_Alignas(SHARED_LINE) _Atomic uint64_t offered;
	_Alignas(SHARED_LINE) _Atomic uint64_t unwanted; /* of RING_ALL */
	_Alignas(HEAD_SIZE) struct slot slots[SLOTS];
};

_Static_assert(sizeof(struct slot) == SLOT_SIZE, "a slot has its size");
_Static_assert(sizeof(struct board) == FILE_SIZE, "so has the file");

/* What the reader found in a slot. */
struct found {
	uint32_t slot;
	uint64_t what; /* the number of a head, the state of another */
};

struct ring {
	struct board *board;
	uint64_t me; /* the state of a slot that we have taken */

	/* For the reader. */
	uint32_t used; /* no slot from here on was in use */
	unsigned takes;
	struct found *found;
};

/* --- processes --- */

static uint64_t
state_of(int kind, long pid, uint64_t start)
{
	return (uint64_t)kind << KIND_SHIFT |
	    ((uint64_t)pid & PID_MASK) << PID_SHIFT | (start & START_MASK);
}

static bool
is_alive(uint64_t state)
{
	uint64_t start =
	    process_start((int64_t)(state >> PID_SHIFT & PID_MASK));

	return start != 0 && (start & START_MASK) == (state & START_MASK);
}

static int
kind_of(uint64_t state)
{
	return (int)(state >> KIND_SHIFT);
}

/* --- the file --- */

struct ring *
ring_open(const char *path)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->board = shared_map(path, sizeof(*ring->board), MAGIC);
	if (!ring->board) {
		free(ring);
		return NULL;
	}
	ring->me = state_of(TAKEN, getpid(), process_start(getpid()));
	return ring;
}

void
ring_close(struct ring *ring)
{
	if (!ring)
		return;
	shared_unmap(ring->board, sizeof(*ring->board));
	free(ring->found);
	free(ring);
}

/* --- writing --- */

static void
set_free(struct slot *slot)
{
	atomic_store_explicit(&slot->state, FREE, memory_order_release);
}

/* When we slept between a number and its slot, the reader may have started
 * over, and would look there only now and then: later than at our next. */
static uint32_t
take_slot(struct ring *ring)
{
	struct board *b = ring->board;

	while (true) {
		uint64_t i = atomic_fetch_add_explicit(
		    &b->next, 1, memory_order_relaxed);
		uint64_t none = FREE;

		if (i >= SLOTS)
			return NO_SLOT;
		if (!atomic_compare_exchange_strong(
			&b->slots[i].state, &none, ring->me))
			continue;
		if (i < atomic_load(&b->next))
			return (uint32_t)i;
		set_free(&b->slots[i]);
	}
}

/* Only of chains that we made. */
static void
free_chain(struct board *b, uint32_t i)
{
	while (i != NO_SLOT) {
		uint32_t after = b->slots[i].after;

		set_free(&b->slots[i]);
		i = after;
	}
}

/* Fills slots with the text; the first of them, or NO_SLOT. */
static uint32_t
write_chain(struct ring *ring, const char *text, size_t len)
{
	struct board *b = ring->board;
	uint32_t first = NO_SLOT, *link = &first;

	while (len) {
		uint32_t i = take_slot(ring);
		size_t n = len < SLOT_DATA ? len : SLOT_DATA;

		if (i == NO_SLOT) {
			free_chain(b, first);
			return NO_SLOT;
		}
		*link = i;
		b->slots[i].after = NO_SLOT;
		b->slots[i].len = (uint32_t)n;
		memcpy(b->slots[i].data, text, n);
		link = &b->slots[i].after;
		text += n;
		len -= n;
	}
	return first;
}

static bool
put_piece(struct ring *ring, const char *text, size_t len)
{
	struct board *b = ring->board;
	uint32_t first = write_chain(ring, text, len);

	if (first == NO_SLOT)
		return false;
	b->slots[first].number =
	    atomic_fetch_add_explicit(&b->pieces, 1, memory_order_release);
	atomic_store_explicit(&b->slots[first].state,
	    (ring->me & ~state_of(3, 0, 0)) | state_of(READY, 0, 0),
	    memory_order_release);
	return true;
}

/* The whole lines that fit into one piece; 0: not even one does. */
static size_t
piece_length(const char *lines, size_t len)
{
	const char *end;

	if (len <= PIECE_MAX)
		return len;
	end = memrchr(lines, '\n', PIECE_MAX);
	return end ? (size_t)(end - lines) + 1 : 0;
}

static size_t
line_length(const char *lines, size_t len)
{
	const char *end = memchr(lines, '\n', len);

	return end ? (size_t)(end - lines) + 1 : len;
}

/* The last digits, as who makes ids may put what is not random in front. */
static uint64_t
place_of(const char *trace)
{
	const char *s = trace + strnlen(trace, 32);
	uint64_t n = 0;

	for (int i = 0; i < 4 && s > trace; i++) {
		char c = *--s;

		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return n;
}

bool
ring_is_wanted(const struct ring *ring, const char *trace)
{
	uint64_t unwanted =
	    atomic_load_explicit(&ring->board->unwanted, memory_order_relaxed);

	return unwanted == 0 || place_of(trace) >= unwanted;
}

bool
ring_wants(struct ring *ring, const char *trace)
{
	atomic_fetch_add_explicit(
	    &ring->board->offered, 1, memory_order_relaxed);
	return ring_is_wanted(ring, trace);
}

static void
count_dropped(struct ring *ring, uint64_t n)
{
	if (n)
		atomic_fetch_add_explicit(
		    &ring->board->dropped, n, memory_order_relaxed);
}

bool
ring_put(struct ring *ring, const char *lines, size_t len)
{
	uint64_t dropped = 0;

	while (len) {
		size_t n = piece_length(lines, len);

		if (n == 0) {
			n = line_length(lines, len);
			dropped++;
		} else if (!put_piece(ring, lines, n)) {
			dropped++;
		}
		lines += n;
		len -= n;
	}
	count_dropped(ring, dropped);
	return dropped == 0;
}

/* --- reading --- */

static uint32_t
larger(uint32_t a, uint64_t b)
{
	if (b > SLOTS)
		b = SLOTS;
	return b > a ? (uint32_t)b : a;
}

/*
 * Slots at and after this are not in use; now and then, all that ever were
 * are looked at: a writer may have slept between its number and its slot.
 */
static uint32_t
used_slots(const struct ring *ring)
{
	struct board *b = ring->board;
	uint32_t used = larger(ring->used, atomic_load(&b->next));

	return ring->takes % LOOK_AT_ALL ? used :
					   larger(used, atomic_load(&b->high));
}

static int
by_number(const void *a, const void *b)
{
	const struct found *fa = a, *fb = b;

	return (fa->what > fb->what) - (fa->what < fb->what);
}

/*
 * The heads of the chains that are ready, the oldest first.  Those that begin
 * after the look does are left to the next one: what their writers put before
 * them may be in a slot that the look has passed.
 */
static size_t
find_ready(struct ring *ring)
{
	struct slot *slots = ring->board->slots;
	uint64_t pieces =
	    atomic_load_explicit(&ring->board->pieces, memory_order_acquire);
	uint32_t used = used_slots(ring);
	size_t n = 0;

	for (uint32_t i = 0; i < used; i++) {
		uint64_t state =
		    atomic_load_explicit(&slots[i].state, memory_order_acquire);

		if (kind_of(state) == READY &&
		    slots[i].number - pieces >= SLOTS)
			ring->found[n++] = (struct found){ i, slots[i].number };
	}
	qsort(ring->found, n, sizeof(ring->found[0]), by_number);
	return n;
}

/* Its bytes; 0 for what cannot be: the file is nobody's but ours, yet what is
 * in it is not to be relied on. */
static size_t
chain_length(const struct board *b, uint32_t i)
{
	size_t len = 0;

	for (; i != NO_SLOT; i = b->slots[i].after) {
		if (i >= SLOTS || b->slots[i].len > SLOT_DATA ||
		    b->slots[i].len == 0 || len > PIECE_MAX)
			return 0;
		len += b->slots[i].len;
	}
	return len;
}

static void
copy_chain(const struct board *b, uint32_t i, struct buf *out)
{
	for (; i != NO_SLOT; i = b->slots[i].after)
		buf_add(out, b->slots[i].data, b->slots[i].len);
}

/* False when there is no room for one of them. */
static bool
take_ready(struct ring *ring, struct buf *out, size_t *taken)
{
	struct board *b = ring->board;
	size_t n = find_ready(ring);

	for (size_t i = 0; i < n; i++) {
		uint32_t head = ring->found[i].slot;
		size_t len = chain_length(b, head);

		if (len == 0) {
			set_free(&b->slots[head]);
			continue;
		}
		if (len > out->max - out->len)
			return false;
		copy_chain(b, head, out);
		free_chain(b, head);
		++*taken;
	}
	return true;
}

/* Slots whose owners are no more.  Also those that never were any. */
static size_t
find_left(struct ring *ring)
{
	struct slot *slots = ring->board->slots;
	uint32_t used = used_slots(ring);
	uint64_t alive = 0;
	size_t n = 0;

	for (uint32_t i = 0; i < used; i++) {
		uint64_t state =
		    atomic_load_explicit(&slots[i].state, memory_order_acquire);

		if (state == FREE || kind_of(state) == READY || state == alive)
			continue;
		if (kind_of(state) == TAKEN && is_alive(state))
			alive = state;
		else
			ring->found[n++] = (struct found){ i, state };
	}
	return n;
}

/* All was taken: writers begin at the first slot again. */
static void
start_over(struct ring *ring)
{
	struct board *b = ring->board;
	uint32_t old = used_slots(ring);
	uint32_t used = larger(0, atomic_exchange(&b->next, 0));

	if (used > atomic_load(&b->high))
		atomic_store(&b->high, used);
	while (old > used && atomic_load(&b->slots[old - 1].state) == FREE)
		old--;
	ring->used = larger(used, old);
}

/* One that ended in good order may have finished just before we looked for
 * it: then its slots are not what they were. */
static void
free_left(struct ring *ring, const struct found *left, size_t n)
{
	uint64_t last = FREE, owners = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t state = left[i].what;

		if (!atomic_compare_exchange_strong(
			&ring->board->slots[left[i].slot].state, &state, FREE))
			continue;
		owners += left[i].what != last;
		last = left[i].what;
	}
	count_dropped(ring, owners);
}

/*
 * The dead may have finished a chain after the first look at it, so there is
 * a second one: what is not part of a ready chain then will never be.
 */
static bool
take_back(struct ring *ring, struct buf *out, size_t *taken)
{
	struct found *left;
	size_t n = find_left(ring);
	bool all;

	/* Without /proc all of them would seem dead. */
	if (n == 0 || process_start(getpid()) == 0)
		return true;
	left = malloc(n * sizeof(left[0]));
	if (!left)
		return false;
	memcpy(left, ring->found, n * sizeof(left[0]));
	all = take_ready(ring, out, taken);
	if (all)
		free_left(ring, left, n);
	free(left);
	return all;
}

size_t
ring_take(struct ring *ring, struct buf *out)
{
	size_t taken = 0;

	if (!ring->found)
		ring->found = calloc(SLOTS, sizeof(ring->found[0]));
	if (!ring->found)
		return 0;
	if (take_ready(ring, out, &taken) && take_back(ring, out, &taken))
		start_over(ring);
	ring->takes++;
	return taken;
}

int64_t
ring_dropped(const struct ring *ring)
{
	return (int64_t)atomic_load_explicit(
	    &ring->board->dropped, memory_order_relaxed);
}

void
ring_set_share(struct ring *ring, int share)
{
	atomic_store_explicit(&ring->board->unwanted,
	    (uint64_t)(RING_ALL - share), memory_order_relaxed);
}

int64_t
ring_offered(const struct ring *ring)
{
	return (int64_t)atomic_load_explicit(
	    &ring->board->offered, memory_order_relaxed);
}
