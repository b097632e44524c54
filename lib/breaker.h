/*
 * breaker -- a circuit breaker in front of a backend, shared by all workers
 * of the host: who is away is not asked again and again, at the cost of a
 * deadline each time.
 *
 * Closed, every call passes.  After conf->breaker_failures failures in a row,
 * whoever made them, it opens: calls are refused at once.  After
 * conf->breaker_probe_ms one single call passes, as a probe.  When it works,
 * the breaker closes; when it fails, the next probe waits twice as long, up
 * to conf->breaker_reset_s.  A call that took longer than
 * conf->breaker_timeout_s counts as failed, and a probe that has not come
 * back by then (its worker died) makes room for another.
 *
 * The state is in the file conf->breaker_file, mapped by all; without one, or
 * when it is of no use, each process has a breaker of its own.
 */
#ifndef SEOGA_BREAKER_H
#define SEOGA_BREAKER_H

#include "conf.h"

struct breaker;

enum breaker_backend { BREAKER_MARIADB, BREAKER_REDIS, BREAKER_BACKENDS };

/* NULL without memory.  conf->breaker_failures 0: it never opens. */
struct breaker *
breaker_new(const struct conf *conf, enum breaker_backend backend);
void breaker_free(struct breaker *b);

/* One call on its way. */
struct breaker_call {
	int64_t begin;	/* microseconds */
	uint64_t probe; /* the state that it made; 0: no probe */
};

/* May the backend be asked now?  Fills in the call in any case. */
bool breaker_pass(struct breaker *b, struct breaker_call *call) ATTR_CHECK;

/* What became of a call that passed.  An answer is an answer, be it a
 * refusal: only silence, and no way to the backend, is a failure. */
void
breaker_done(struct breaker *b, const struct breaker_call *call, bool worked);

struct breaker_view {
	const char *state; /* "closed", "open", "half-open" (a probe is out) */
	int failures;	   /* in a row */
	int64_t opened;	   /* times, since the file was made */
	int retry_after;   /* seconds until the next probe, 0 when closed */
};
void breaker_look(const struct breaker *b, struct breaker_view *view);

#endif
