/*
 * breaker -- see breaker.h.
 *
 * All that decides is in one 64-bit word, changed by compare and swap only,
 * so that there is no moment between two states:
 *
 *	bits  0..7   failures in a row
 *	bits  8..14  probes that failed since it opened
 *	bit   15     a probe is out
 *	bits 16..63  when the next probe may go, in milliseconds of the
 *	             monotonic clock, which is the same for all processes
 *
 * Zero is closed and well: what a new file is full of.
 */
#include "breaker.h"

#include "log.h"
#include "secret.h"
#include "shared.h"

#include <errno.h>

#define MAGIC UINT64_C(0x5365676f61427231)
#define FAILURES_MASK UINT64_C(0xff)
#define PROBES_SHIFT 8
#define PROBES_MAX 127
#define PROBING (UINT64_C(1) << 15)
#define TIME_SHIFT 16

/* What is shared about one backend; a line of the CPU's cache each. */
struct circuit {
	_Alignas(SHARED_LINE) _Atomic uint64_t state;
	_Atomic uint64_t opened;
};

struct board {
	_Alignas(SHARED_LINE) _Atomic uint64_t magic;
	struct circuit circuits[BREAKER_BACKENDS];
};

struct breaker {
	const struct conf *conf;
	const char *name;
	struct circuit *circuit;
	struct board *board; /* mapped; NULL: own is used */
	struct circuit own;
};

static const char *const names[] = {
	[BREAKER_MARIADB] = "mariadb", [BREAKER_REDIS] = "redis"
};

/* --- the file --- */

static struct board *
open_board(const char *path)
{
	struct board *board = shared_map(path, sizeof(*board), MAGIC);

	if (!board)
		log_msg(
		    LOG_WARN, "breaker.file", "%s: %s", path, strerror(errno));
	return board;
}

struct breaker *
breaker_new(const struct conf *conf, enum breaker_backend backend)
{
	struct breaker *b = aligned_alloc(SHARED_LINE, sizeof(*b));

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	b->conf = conf;
	b->name = names[backend];
	if (conf->breaker_file && conf->breaker_failures)
		b->board = open_board(conf->breaker_file);
	b->circuit = b->board ? &b->board->circuits[backend] : &b->own;
	return b;
}

void
breaker_free(struct breaker *b)
{
	if (b && b->board)
		shared_unmap(b->board, sizeof(*b->board));
	free(b);
}

/* --- the state --- */

static int
failures_of(uint64_t state)
{
	return (int)(state & FAILURES_MASK);
}

static int
probes_of(uint64_t state)
{
	return (int)(state >> PROBES_SHIFT) & PROBES_MAX;
}

static uint64_t
make_state(int failures, int probes, bool probing, int64_t next_ms)
{
	return (uint64_t)failures | (uint64_t)probes << PROBES_SHIFT |
	    (probing ? PROBING : 0) | (uint64_t)next_ms << TIME_SHIFT;
}

static bool
is_open(const struct breaker *b, uint64_t state)
{
	return failures_of(state) >= b->conf->breaker_failures;
}

static int64_t
now_ms(void)
{
	return log_now() / 1000;
}

static int64_t
timeout_ms(const struct breaker *b)
{
	return b->conf->breaker_timeout_s * INT64_C(1000);
}

static int64_t
reset_ms(const struct breaker *b)
{
	return b->conf->breaker_reset_s * INT64_C(1000);
}

/* Until the next probe.  A file that outlived a start of the machine may
 * speak of a clock that is not there any more. */
static int64_t
left_ms(const struct breaker *b, uint64_t state)
{
	int64_t left = (int64_t)(state >> TIME_SHIFT) - now_ms();
	int64_t most =
	    reset_ms(b) > timeout_ms(b) ? reset_ms(b) : timeout_ms(b);

	return left > most ? 0 : left;
}

/* Doubles with each probe that failed.  Up to an eighth less, so that the
 * hosts of a backend do not come back to it all at once. */
static int64_t
wait_ms(const struct breaker *b, int probes)
{
	int64_t wait = b->conf->breaker_probe_ms;

	while (probes-- > 0 && wait < reset_ms(b))
		wait *= 2;
	if (wait > reset_ms(b))
		wait = reset_ms(b);
	return wait - (wait >= 8 ? secret_below((uint32_t)wait / 8) : 0);
}

static void
say(const struct breaker *b, enum log_level level, const char *event,
    int failures)
{
	log_event(level, event);
	log_str("backend", b->name);
	log_int("failures", failures);
	log_end();
}

/* --- calls --- */

bool
breaker_pass(struct breaker *b, struct breaker_call *call)
{
	uint64_t state = atomic_load(&b->circuit->state), probe;

	*call = (struct breaker_call){ .begin = log_now() };
	if (!b->conf->breaker_failures)
		return true;
	while (is_open(b, state)) {
		if (left_ms(b, state) > 0)
			return false;
		probe = make_state(failures_of(state), probes_of(state), true,
		    now_ms() + timeout_ms(b));
		/* Else somebody was quicker, and state is what he made. */
		if (atomic_compare_exchange_strong(
			&b->circuit->state, &state, probe)) {
			call->probe = probe;
			say(b, LOG_INFO, "breaker.probe", failures_of(state));
			return true;
		}
	}
	return true;
}

/* Only a probe closes it: other answers may have been long under way. */
static void
worked_well(struct breaker *b, const struct breaker_call *call)
{
	uint64_t state = atomic_load(&b->circuit->state);

	while (state != 0) {
		bool open = is_open(b, state);

		if (open && state != call->probe)
			return;
		if (!atomic_compare_exchange_strong(
			&b->circuit->state, &state, 0))
			continue;
		if (open)
			say(b, LOG_WARN, "breaker.closed", failures_of(state));
		return;
	}
}

/* What one failure more makes of a state. */
static uint64_t
after_failure(const struct breaker *b, uint64_t state)
{
	int failures = failures_of(state), probes = probes_of(state);

	if (!is_open(b, state)) {
		failures++;
		probes = 0;
	} else if (probes < PROBES_MAX) {
		probes++;
	}
	if (failures < b->conf->breaker_failures)
		return make_state(failures, 0, false, 0);
	return make_state(
	    failures, probes, false, now_ms() + wait_ms(b, probes));
}

static void
failed(struct breaker *b, const struct breaker_call *call)
{
	uint64_t state = atomic_load(&b->circuit->state), next;

	do {
		if (is_open(b, state) && state != call->probe)
			return;
		next = after_failure(b, state);
	} while (
	    !atomic_compare_exchange_strong(&b->circuit->state, &state, next));
	if (!is_open(b, state) && is_open(b, next)) {
		atomic_fetch_add(&b->circuit->opened, 1);
		say(b, LOG_WARN, "breaker.open", failures_of(next));
	}
}

void
breaker_done(struct breaker *b, const struct breaker_call *call, bool worked)
{
	if (!b->conf->breaker_failures)
		return;
	if (worked && log_now() - call->begin <= timeout_ms(b) * 1000)
		worked_well(b, call);
	else
		failed(b, call);
}

void
breaker_look(const struct breaker *b, struct breaker_view *view)
{
	uint64_t state = atomic_load(&b->circuit->state);
	int64_t left;

	*view = (struct breaker_view){ .state = "closed",
		.failures = failures_of(state),
		.opened = (int64_t)atomic_load(&b->circuit->opened) };
	if (!b->conf->breaker_failures || !is_open(b, state))
		return;
	left = left_ms(b, state);
	view->state = state & PROBING ? "half-open" : "open";
	view->retry_after = left > 1000 ? (int)(left + 999) / 1000 : 1;
}
