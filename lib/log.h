/*
 * log -- JSON lines, all of a request's lines in ONE write(2).
 *
 * Each line has the keys of doc/log.md: ts (UTC, microseconds), lvl, trace,
 * prog, pid, ev; the rest depends on the event.  Lines between log_begin()
 * and log_flush() are kept in memory and carry `at`, the microseconds since
 * log_begin(); outside of a request a line is written at once.  More than
 * 64 KiB of lines take more than one write, each of whole lines.
 *
 *	log_event(LOG_INFO, "db.query");
 *	log_str("name", st->name);
 *	log_int("us", us);
 *	log_end();
 *
 * Never log passwords, tokens or bodies.
 */
#ifndef SEOGA_LOG_H
#define SEOGA_LOG_H

#include "base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* path NULL: the standard error descriptor.  Returns RC_OK or RC_BUG (errno
 * says why); lines go to descriptor 2 then. */
int log_open(const char *prog, const char *path);
/* Close and open the file again, after it was moved away. */
void log_reopen(void);
/* Where lines for the recorder go: the file of a ring; NULL: nowhere. */
void log_open_ring(const char *path);

/* trace: 32 lower-case hex digits (W3C trace id); copied.  Gives the moment
 * that `at` counts from, as log_now(). */
int64_t log_begin(const char *trace);
void log_flush(void);
/* Is what follows kept as a trace?  log_begin() says no.  In the file are the
 * lines of either kind. */
void log_sampled(bool sampled);
/* What is kept as a trace is kept even when there are too many of them, of
 * which only a share is (ring.h); so is what has a warning or an error. */
void log_keep(void);
/* Forgets the lines since log_begin() instead, unless one of them is a warning
 * or an error: for rounds of a job that found nothing to do. */
void log_drop(void);
/* The lines that follow belong to another trace. */
void log_trace(const char *trace);

void log_event(enum log_level level, const char *event);
/* From here on only warnings and errors: for commands on a terminal. */
void log_quiet(void);

void log_str(const char *key, const char *value); /* NULL: null */
void log_strn(const char *key, const char *value, size_t len);
void log_int(const char *key, int64_t value);
void log_end(void);

/* A whole line with a `msg`. */
void log_msg(enum log_level level, const char *event, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

/* Monotonic clock in microseconds. */
int64_t log_now(void);
/* The time of day: microseconds since 1970. */
int64_t log_clock(void);

#endif
