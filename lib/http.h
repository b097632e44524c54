/*
 * http -- what RFC 9110 and its kin define: status texts, header lines,
 * cookies, dates, entity tags, URLs that stay on this site.
 */
#ifndef SEOGA_HTTP_H
#define SEOGA_HTTP_H

#include "req.h"

#include <time.h>

/* "Not Found"; "Unknown" for a code that we never send. */
const char *http_reason(int status);

/* The HTTP status of a result code (200 for RC_OK, 401 for RC_LOGIN). */
int http_status(enum rc rc);

/* Adds "name: value"; a value with CR, LF or another control character is
 * a bug of ours: it is logged and the header left out. */
void http_header(struct req *req, const char *name, const char *value);
void http_headerf(struct req *req, const char *name, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

/* Set-Cookie with HttpOnly, SameSite=Lax, Path=/; under TLS the name gets
 * the __Host- prefix and Secure.  age in seconds, 0 = session, < 0 = delete. */
void http_cookie(struct req *req, const char *name, const char *value, int age);
/* The name under which http_cookie() set it for this request. */
const char *http_cookie_name(struct req *req, const char *name);

/* IMF-fixdate (RC 9110 5.6.7) of a time; out has room for 30 bytes. */
void http_date(time_t when, char out[30]);

/* If-None-Match against our entity tag (both quoted), by weak comparison. */
bool http_etag_matches(const char *if_none_match, const char *etag);

/* True when url is a path on this site: begins with one "/", no "//", no
 * backslash, no control character, no scheme.  For the `next` of a login. */
bool http_url_is_local(const char *url);

/* text percent-encoded for a query value, in the request's memory. */
const char *http_url_quote(struct req *req, const char *text);

/* Is origin in the comma-separated list?  Exact, as browsers send it. */
bool http_origin_listed(const char *origin, const char *list);

#endif
