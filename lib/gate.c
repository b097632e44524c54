/* gate -- see gate.h. */
#include "gate.h"

#include "cache.h"
#include "fcgi.h"
#include "form.h"
#include "http.h"
#include "log.h"
#include "page.h"
#include "program.h"
#include "sess.h"

#include <strings.h>

static gate_handler *
handler_of(const struct req *req, const char *method)
{
	const struct route *r = req->route;

	if (strcmp(method, "GET") == 0)
		return req->api && r->needs & GET_IS_PAGE ? NULL : r->get;
	if (strcmp(method, "POST") == 0)
		return r->needs & (req->api ? POST_IS_PAGE : POST_IS_API) ?
		    NULL :
		    r->post;
	if (strcmp(method, "PUT") == 0)
		return req->api ? r->put : NULL;
	if (strcmp(method, "DELETE") == 0)
		return req->api ? r->delete : NULL;
	return NULL;
}

static const char *
allowed_methods(struct req *req)
{
	const char *list = arena_printf(req->arena, "%s%s%s%s%s",
	    handler_of(req, "GET") ? ", GET, HEAD" : "",
	    handler_of(req, "POST") ? ", POST" : "",
	    handler_of(req, "PUT") ? ", PUT" : "",
	    handler_of(req, "DELETE") ? ", DELETE" : "",
	    req->api ? ", OPTIONS" : "");

	return list + strlen(", ");
}

/* Other sites' scripts may use the API if they are listed: no cookie counts
 * there, so there is nothing to steal. */
bool
gate_cors(struct req *req)
{
	const char *origin = fcgi_param(req->call, "HTTP_ORIGIN");

	if (!req->api)
		return false;
	/* Texts are in the reader's language, which the cookie may choose. */
	http_header(req, "Vary", "Origin, Accept-Language, Cookie");
	if (!origin || !http_origin_listed(origin, req->conf->cors_origins))
		return false;
	http_header(req, "Access-Control-Allow-Origin", origin);
	http_header(req, "Access-Control-Expose-Headers",
	    "ETag, Location, Retry-After, X-Request-Id, traceparent");
	return true;
}

int
gate_preflight(struct req *req, bool listed)
{
	http_header(req, "Allow", allowed_methods(req));
	if (listed) {
		http_header(
		    req, "Access-Control-Allow-Methods", allowed_methods(req));
		http_header(req, "Access-Control-Allow-Headers",
		    "Authorization, Content-Type, Idempotency-Key,"
		    " If-Match, If-None-Match, X-Request-Id, traceparent");
		http_header(req, "Access-Control-Max-Age", "600");
	}
	return page_send_nothing(req);
}

int
gate_method(struct req *req, gate_handler **found)
{
	*found = handler_of(req, req->method);
	if (*found)
		return RC_OK;
	http_header(req, "Allow", allowed_methods(req));
	return RC_METHOD;
}

static int
check_body(struct req *req)
{
	int rc = fcgi_body_rc(req->call);

	if (rc == RC_TOO_LARGE)
		return req_fail(req, rc,
		    _("More was sent than this page accepts. Nothing was"
		      " changed."));
	if (rc < 0)
		return req_fail(req, RC_BAD_INPUT,
		    _("The request came in cut short. Nothing was changed."));
	return RC_OK;
}

/* A new guest has nothing in Redis.  But a form that could not be sent is
 * better not shown. */
static size_t
queue_ping(struct req *req)
{
	cache_queue(req, "PING", NULL);
	return 1;
}

/* What the route needs for this request. */
static unsigned
needs_of(const struct req *req)
{
	unsigned needs = req->route->needs;

	if (needs & WRITE_LIBRARIAN && strcmp(req->method, "GET") != 0)
		needs = (needs & ~(unsigned)NEED_NO_REDIS) | NEED_LIBRARIAN;
	return needs;
}

/* Session and whatever the route prefetches: one round trip. */
static int
load_session(struct req *req)
{
	struct cache_reply **replies;
	size_t n;
	int rc;

	if (req->route->needs & NEED_NO_SESSION)
		return RC_OK;
	n = sess_queue(req);
	if (req->route->prefetch)
		req->route->prefetch(req);
	else if (n == 0 && (req->route->needs & NEED_FORM) && !req->api)
		n = queue_ping(req);
	rc = cache_run(req, &replies);
	if (rc < 0 && !(needs_of(req) & NEED_NO_REDIS))
		return rc;
	if (rc < 0) {
		req_forgive(req);
		return sess_take(req, NULL);
	}
	req->prefetched = replies + n;
	return sess_take(req, replies);
}

/* Timed, where Redis knew something of the reader. */
static int
know_reader(struct req *req)
{
	int64_t begin = log_now();
	int trips = req->redis_count;
	int rc = load_session(req);

	if (req->redis_count > trips && req->sess && req->sess->id &&
	    !req->sess->fresh) {
		req->sess_at = begin - req->begin;
		req->sess_us = log_now() - begin;
	}
	return rc;
}

#define ROLES (NEED_STUDENT | NEED_LIBRARIAN | NEED_ADMIN)

static bool
has_role(const struct req *req)
{
	unsigned needs = needs_of(req) & ROLES;
	const char *role = needs ? req->sess->role : "";

	if (!needs || strcmp(role, "admin") == 0)
		return true;
	return (needs & NEED_LIBRARIAN && strcmp(role, "librarian") == 0) ||
	    (needs & NEED_STUDENT && strcmp(role, "student") == 0);
}

static int
check_reader(struct req *req)
{
	bool member_only = needs_of(req) & (NEED_MEMBER | ROLES) ||
	    (req->route->needs & NEED_API_TOKEN && req->api);
	int rc = member_only ? sess_need_login(req) : RC_OK;

	if (rc < 0 || has_role(req))
		return rc;
	return req_fail(req, RC_FORBIDDEN,
	    _("Your account may not do this. Ask an administrator if it"
	      " should."));
}

static int
read_form(struct req *req)
{
	static const struct field none[] = { { .name = NULL } };
	const char *id = fcgi_param(req->call, "SEOGA_ID");
	size_t len;
	const unsigned char *body = fcgi_body(req->call, &len);

	if (id)
		form_capture(req, "id", id);
	return form_parse(req, req->route->fields ? req->route->fields : none,
	    fcgi_param(req->call, "CONTENT_TYPE"), body, len);
}

/* Timed, where there was something to read. */
static int
take_form(struct req *req)
{
	int64_t begin = log_now();
	size_t len;
	int rc = read_form(req);

	fcgi_body(req->call, &len);
	if (len || *req->query) {
		req->form_at = begin - req->begin;
		req->form_us = log_now() - begin;
	}
	return rc;
}

/* The browser says which site a form was on; ours must match the host it was
 * sent to. */
static bool
same_origin(struct req *req)
{
	const char *origin = fcgi_param(req->call, "HTTP_ORIGIN");
	const char *host = fcgi_param(req->call, "HTTP_HOST");
	const char *site = fcgi_param(req->call, "HTTP_SEC_FETCH_SITE");

	if (site && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if (!origin)
		return true; /* old and text browsers: the token decides */
	return host &&
	    strcasecmp(origin,
		arena_printf(req->arena, "%s://%s",
		    req->https ? "https" : "http", host)) == 0;
}

static int
check_forgery(struct req *req)
{
	if (req->api || strcmp(req->method, "GET") == 0)
		return RC_OK;
	if (!same_origin(req))
		return req_fail(req, RC_FORBIDDEN,
		    _("This form was on another site, so nothing was"
		      " changed."));
	return sess_check_csrf(req, form_str(req, "csrf"));
}

int
gate_pass(struct req *req)
{
	int form_rc, rc;

	if ((rc = check_body(req)) < 0 || (rc = know_reader(req)) < 0 ||
	    (rc = check_reader(req)) < 0)
		return rc;
	form_rc = take_form(req);
	if (form_rc < 0 && !req->errors)
		return form_rc;
	if ((rc = check_forgery(req)) < 0) {
		/* Nobody's form is shown again with what another site put
		 * into it. */
		req->errors = NULL;
		return rc;
	}
	return form_rc;
}
