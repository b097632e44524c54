/* attack -- see attack.h: the memory, and reading it. */
#include "attack_internal.h"

#include "log.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#define MAGIC UINT64_C(0x5365676f61417431)
#define TRIES 8 /* of reading a place that is being written */
#define FIVE 5	/* minutes */
#define MAPPED UINT64_C(0xffff00000000)

static struct attack_board own;
static struct attack_board *board = &own;

struct attack_board *
attack_board(void)
{
	return board;
}

/* Whoever comes first makes it, for all. */
static void
make_seed(_Atomic uint64_t *seed)
{
	uint64_t none = 0, fresh;

	if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh) || fresh == 0)
		fresh = (uint64_t)log_now() | 1;
	atomic_compare_exchange_strong(seed, &none, fresh);
}

void
attack_open(const struct conf *conf)
{
	board = NULL;
	if (conf->attack_file)
		board = shared_map(conf->attack_file, sizeof(*board), MAGIC);
	if (!board) {
		if (conf->attack_file)
			log_msg(LOG_WARN, "attack.file", "%s: %s",
			    conf->attack_file, strerror(errno));
		board = &own;
	}
	make_seed(&board->seed[0]);
	make_seed(&board->seed[1]);
}

/* The finalizer of SplitMix64: each bit of x is in each of the result. */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t
attack_digest(uint64_t a, uint64_t b)
{
	return mix(mix(a ^ board->seed[0]) ^ b ^ board->seed[1]);
}

/* --- a place --- */

void
attack_load(const struct attack_place *place, struct attack_fact *fact)
{
	for (size_t i = 0; i < ATTACK_WORDS; i++) {
		uint64_t word = atomic_load_explicit(
		    &place->words[i], memory_order_relaxed);

		memcpy((char *)fact + i * sizeof(word), &word, sizeof(word));
	}
}

void
attack_store(struct attack_place *place, const struct attack_fact *fact)
{
	uint64_t words[ATTACK_WORDS];
	/* One that died in between has left it odd. */
	uint64_t version =
	    atomic_load_explicit(&place->version, memory_order_relaxed) | 1;

	memcpy(words, fact, sizeof(*fact));
	atomic_store_explicit(&place->version, version, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < ATTACK_WORDS; i++)
		atomic_store_explicit(
		    &place->words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(
	    &place->version, version + 1, memory_order_release);
}

static bool
read_place(const struct attack_place *place, struct attack_fact *fact)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before =
		    atomic_load_explicit(&place->version, memory_order_acquire);

		attack_load(place, fact);
		atomic_thread_fence(memory_order_acquire);
		if (before % 2 == 0 &&
		    before ==
			atomic_load_explicit(
			    &place->version, memory_order_relaxed))
			return true;
	}
	return false;
}

/* --- the list --- */

static void
write_addr(const struct attack_fact *fact, char out[ATTACK_ADDR])
{
	unsigned char bytes[16];

	memcpy(bytes, fact->net, sizeof(bytes));
	if (be64toh(fact->net[1]) >> 32 == MAPPED >> 32 && fact->net[0] == 0) {
		inet_ntop(AF_INET, bytes + 12, out, ATTACK_ADDR);
		return;
	}
	inet_ntop(AF_INET6, bytes, out, ATTACK_ADDR);
	snprintf(out + strlen(out), ATTACK_ADDR - strlen(out), "/64");
}

static void
add_minute(struct attack_sum *sum, const uint16_t counts[ATTACK_WHATS])
{
	sum->logins += counts[ATTACK_LOGINS];
	sum->errors += counts[ATTACK_ERRORS];
	sum->unknown += counts[ATTACK_UNKNOWN];
	sum->probes += counts[ATTACK_PROBES];
	sum->limited += counts[ATTACK_LIMITS];
}

static void
add_up(const struct attack_fact *fact, int64_t minute, struct attack_seen *seen)
{
	for (int64_t m = minute - ATTACK_MINUTES + 1; m <= minute; m++) {
		const uint16_t *counts = fact->counts[m % ATTACK_MINUTES];

		/* A later time round has the places of these. */
		if (m > fact->minute || m <= fact->minute - ATTACK_MINUTES)
			continue;
		add_minute(&seen->hour, counts);
		if (m > minute - FIVE)
			add_minute(&seen->five, counts);
	}
}

static bool
within_hour(int64_t then, int64_t minute)
{
	return then > minute - ATTACK_MINUTES;
}

static void
tell(const struct attack_fact *fact, int64_t minute, struct attack_seen *seen)
{
	*seen = (struct attack_seen){ .last = fact->last };
	write_addr(fact, seen->addr);
	add_up(fact, minute, seen);
	seen->burst = within_hour(fact->burst, minute);
	seen->scanner = within_hour(fact->scan, minute);
	memcpy(seen->path, fact->path, sizeof(seen->path));
}

/* A failed login is worth more than a wrong address, a probe most. */
static int64_t
badness(const struct attack_seen *seen)
{
	return seen->hour.errors + seen->hour.limited + 4 * seen->hour.logins +
	    8 * seen->hour.probes;
}

static bool
is_worse(const struct attack_seen *a, const struct attack_seen *b)
{
	int64_t x = badness(a), y = badness(b);

	return x != y ? x > y : a->last > b->last;
}

/* Into the list, which is in order; what has no room falls off its end. */
static size_t
insert(struct attack_seen *list, size_t n, size_t max,
    const struct attack_seen *seen)
{
	size_t at = n;

	while (at > 0 && is_worse(seen, &list[at - 1]))
		at--;
	if (at == max)
		return n;
	if (n == max)
		n--;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
	list[at] = *seen;
	return n + 1;
}

size_t
attack_list(int64_t now, struct attack_seen *list, size_t max)
{
	const struct attack_place *place = &board->places[0][0];
	int64_t minute = now / 60;
	struct attack_fact fact;
	struct attack_seen seen;
	size_t n = 0;

	for (size_t i = 0; i < ATTACK_ADDRESSES; i++) {
		if (!read_place(&place[i], &fact) || fact.minute == 0 ||
		    !within_hour(fact.minute, minute))
			continue;
		tell(&fact, minute, &seen);
		if (badness(&seen) > 0)
			n = insert(list, n, max, &seen);
	}
	return n;
}

void
attack_minutes(int64_t now, int64_t minutes[ATTACK_MINUTES][ATTACK_KINDS])
{
	int64_t first = now / 60 - ATTACK_MINUTES + 1;

	for (int64_t i = 0; i < ATTACK_MINUTES; i++) {
		struct attack_minute *m =
		    &board->minutes[(first + i) % ATTACK_MINUTES];
		bool is_it = m->minute == first + i;

		for (size_t k = 0; k < ATTACK_KINDS; k++)
			minutes[i][k] = is_it ? (int64_t)m->events[k] : 0;
	}
}

void
attack_mask(const char *addr, char out[ATTACK_ADDR])
{
	const char *dot = strrchr(addr, '.'), *colon = strchr(addr, ':');
	size_t len = 0;

	if (dot)
		len = (size_t)(dot - addr);
	else if (colon && strchr(colon + 1, ':'))
		len = (size_t)(strchr(colon + 1, ':') - addr);
	snprintf(out, ATTACK_ADDR, "%.*s%sx", (int)len, addr,
	    len == 0 ? "" :
		dot  ? "." :
		       ":");
}
