/*
 * req -- one request on its way through a program: the context that every
 * module above gets handed.  Its life is the handler's; all memory of it is
 * in its arena.
 */
#ifndef SEOGA_REQ_H
#define SEOGA_REQ_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "lang.h"

#include <jansson.h>

struct buf;
struct cache;
struct cache_reply;
struct db;
struct fcgi_call;
struct form;
struct route;
struct sess;
struct tmpl_set;

struct req {
	/* What lives as long as the worker. */
	const struct conf *conf;
	const struct route *route;
	struct arena *arena;
	struct db *db;
	struct cache *cache;
	struct tmpl_set *templates[LANG_COUNT];
	struct buf *out; /* the response body */

	/* What this request is. */
	struct fcgi_call *call;
	const char *method; /* GET (HEAD, too) POST DELETE ... */
	const char *path;   /* without the query */
	const char *query;  /* "" when none */
	const char *trace;  /* 32 hex digits */
	const char *span;   /* 16 hex digits: this program's part */
	bool sampled;	    /* its trace is kept */
	const char *prog;   /* the program, as in the log; NULL for commands */
	const char *addr;   /* the client's address */
	bool head;	    /* HEAD: no body goes out */
	bool https;
	bool api; /* JSON in, JSON out */
	enum lang lang;
	struct form *form; /* all input fields */
	struct sess *sess;
	struct cache_reply **prefetched; /* of the route's prefetch() */

	/* What came of it. */
	int status;
	size_t bytes; /* of the body */
	bool sent;
	struct buf *headers; /* complete lines, each ends in CRLF */
	enum rc fail_code;
	const char *fail_text; /* for the reader, in his language */
	const char *fail_why;  /* in the log instead, when that quotes him */
	json_t *errors;	       /* field -> message, or NULL */
	json_t *details;       /* more members of a problem, or NULL */
	int retry_after;       /* seconds, 0 = do not say */

	/* Counted for req.end, the cost line of pages and the query budget of
	 * the tests; times in microseconds, begin is log_now(), what ends in
	 * _at counts from there. */
	int db_count, redis_count;
	int commented; /* its SQL has the trace: 1 yes, -1 no, 0 not said yet */
	int64_t begin, db_us, redis_us;
	int64_t sess_at, sess_us; /* what it took to know the reader */
	int64_t form_at, form_us; /* to read the form */
	int64_t send_us;	  /* for nginx to take the response */
};

/*
 * Records why the request fails and returns rc, so that a detector can say
 *	return req_fail(req, RC_NOT_FOUND, _("There is no such book."));
 * The first text wins; it is shown to the reader, so it names what happened
 * and what to do next, and never a secret or an internal name.
 */
int
req_fail(struct req *req, enum rc rc, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* The same for what is our own fault, which the log tells; gives RC_BUG. */
int req_bug(struct req *req);

/* Forgets a recorded failure that the request can live with. */
void req_forgive(struct req *req);

/* Records a message beside one input field; returns RC_BAD_INPUT. */
int req_field_error(struct req *req, const char *field, const char *message);

#endif
