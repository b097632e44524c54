/*
 * gate -- what a request must pass before its handler runs: method, body,
 * session, login, input fields, and for a page's POST that it comes from a
 * form of ours.
 */
#ifndef SEOGA_GATE_H
#define SEOGA_GATE_H

#include "req.h"

typedef int gate_handler(struct req *req);

/* Adds the CORS headers of an API answer; is the Origin a listed one? */
bool gate_cors(struct req *req);
/* Answers OPTIONS. */
int gate_preflight(struct req *req, bool listed);

/* The handler of the request's method, or RC_METHOD and the Allow header. */
int gate_method(struct req *req, gate_handler **found) ATTR_CHECK;

/*
 * The checks in their order; also reads the session, what the route
 * prefetches, and the form.  RC_BAD_INPUT with req->errors comes only when
 * everything else was right, so that the form may be shown again.
 */
int gate_pass(struct req *req) ATTR_CHECK;

#endif
