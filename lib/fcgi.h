/*
 * fcgi -- FastCGI over libfcgi: accept loop, signals, body in, response out.
 *
 * One thread, many kept connections: the worker polls its listener and every
 * connection that nginx keeps to it, and serves whichever has a request.
 * TERM drains: no new connections, requests that arrive on kept ones are
 * answered with close-after-reply, and the worker leaves when nginx has
 * closed them or a deadline has passed.  USR1 reopens the log.
 */
#ifndef SEOGA_FCGI_H
#define SEOGA_FCGI_H

#include "base.h"

struct fcgi_call; /* one request as it came over the wire */

struct fcgi_options {
	size_t body_max; /* bytes; more is answered without a handler */
	int request_s;	 /* a request that takes longer ends the worker;
				   0 = 30 */
	int drain_s;	 /* longest wait after TERM; 0 = 30 */
	void (*serve)(struct fcgi_call *call, void *arg);
	void (*reopen)(void); /* on USR1; may be NULL */
	void *arg;
};

/* Serves on descriptor 0 until TERM.  Returns a process exit status. */
int fcgi_loop(const struct fcgi_options *options);

/* A parameter, NULL when absent or empty.  Valid until serve() returns. */
const char *fcgi_param(const struct fcgi_call *call, const char *name);

/* The whole body.  fcgi_body_rc() is RC_OK, RC_TOO_LARGE (Content-Length
 * above body_max; nothing was read) or RC_BAD_INPUT (no valid Content-Length,
 * or another one than the body has).  A request whose client goes away or
 * falls silent within the body is not served. */
const unsigned char *fcgi_body(const struct fcgi_call *call, size_t *len);
int fcgi_body_rc(const struct fcgi_call *call);

/* Sends the response: CGI header lines (each ending in CRLF, without the
 * empty one) and the body.  Once per call.  RC_BUG when nginx went away. */
int fcgi_reply(struct fcgi_call *call, const char *head, size_t head_len,
    const char *body, size_t body_len);

#endif
