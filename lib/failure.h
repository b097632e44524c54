/*
 * failure -- the answer to a request that failed: what happened, what became
 * of what was entered, what to do next.
 */
#ifndef SEOGA_FAILURE_H
#define SEOGA_FAILURE_H

#include "req.h"

/* Error page, problem+json (RFC 9457), or for RC_LOGIN of a page a redirect
 * to the login.  Tells req->fail_text, req->errors and req->retry_after, and
 * the problem also req->details. */
void failure_send(struct req *req, enum rc rc);

/* The model of the error page of a status in the current language; what is
 * NULL for the usual sentence. */
json_t *failure_model(int status, const char *what);

#endif
