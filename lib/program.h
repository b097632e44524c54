/*
 * program -- what a program says about itself, once and for good: its name,
 * its handlers, the fields it reads and what it needs before they run.
 */
#ifndef SEOGA_PROGRAM_H
#define SEOGA_PROGRAM_H

#include "form.h"

enum route_needs {
	NEED_MEMBER = 1,      /* signed in: else login page or 401 */
	NEED_NO_SESSION = 2,  /* the session is not even read */
	NEED_NO_REDIS = 4,    /* without Redis the reader is a guest */
	NEED_FORM = 8,	      /* the page holds forms: keep a guest's id */
	NEED_API_TOKEN = 16,  /* signed in on the API; guests may on pages */
	GET_IS_PAGE = 32,     /* GET shows a form: the API has none */
	POST_IS_PAGE = 64,    /* POST stands for the API's DELETE */
	NEED_LIBRARIAN = 128, /* NEED_MEMBER, of this role or admin: else 403 */
	NEED_ADMIN = 256,     /* NEED_MEMBER, of role admin: else 403 */
	POST_IS_API = 512,    /* pages have another form for it */
	WRITE_LIBRARIAN = 1024, /* NEED_LIBRARIAN for all but GET */
	NEED_STUDENT = 2048	/* NEED_MEMBER, student or admin: else 403 */
};

struct route {
	const char *name; /* the program's */
	int (*get)(struct req *req);
	int (*post)(struct req *req);
	/* API only: no form sends them. */
	int (*put)(struct req *req);
	int (*delete)(struct req *req);
	/* Shows the form again with req->errors; NULL: an error page. */
	int (*invalid)(struct req *req);
	/* Queues Redis reads for the session's round trip. */
	void (*prefetch)(struct req *req);
	const struct field *fields; /* ends with a NULL name; may be NULL */
	unsigned needs;
	size_t body_max; /* bytes; 0 = conf->form_limit */
	int nice;	 /* CPU-heavy programs stand back */
	bool reloads;	 /* its pages do; so do answers 503 in their place */
};

#endif
