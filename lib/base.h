/*
 * base -- result codes, attributes and banned functions: what every other
 * file may rely on.
 */
#ifndef SEOGA_BASE_H
#define SEOGA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Result of an operation: RC_OK, or one negative code for each outcome that
 * HTTP can tell.  Whoever detects a failure records its text once with
 * req_fail(); everyone above passes the code up; only route_run() answers.
 */
enum rc {
	RC_OK = 0,
	RC_BAD_INPUT = -1, /* 400 */
	RC_LOGIN = -2,	   /* 303 to /login for a page, 401 for the API */
	RC_FORBIDDEN = -3, /* 403 */
	RC_NOT_FOUND = -4, /* 404 */
	RC_METHOD = -5,	   /* 405, with Allow */
	RC_CONFLICT = -6,  /* 409 */
	RC_TOO_LARGE = -7, /* 413 */
	RC_MEDIA = -8,	   /* 415 */
	RC_TOO_MANY = -9,  /* 429, with Retry-After */
	RC_DOWN = -10,	   /* 503, with Retry-After: a backend is away */
	RC_BUG = -11	   /* 500 */
};

#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ATTR_NORETURN __attribute__((noreturn))
#define ATTR_UNUSED __attribute__((unused))
#define ATTR_CHECK __attribute__((warn_unused_result))

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Functions without a bound, or with hidden state: use buf, form or arena. */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets strncpy atoi atol

#endif
