/* route -- see route.h. */
#include "route.h"

#include "failure.h"
#include "fcgi.h"
#include "log.h"
#include "secret.h"
#include "tmpl.h"

#include <setjmp.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#define REQUEST_MEMORY ((size_t)16 * 1024 * 1024)
#define RESPONSE_MAX ((size_t)8 * 1024 * 1024)
#define HEADERS_MAX ((size_t)32 * 1024)

/* What lives as long as the worker; all else is in the request. */
static struct {
	const struct route *route;
	struct conf conf;
	struct arena *arena;
	struct db *db;
	struct cache *cache;
	struct tmpl_set *templates[LANG_COUNT];
	struct buf out, headers;
	jmp_buf out_of_memory;
	bool answering_memory;
} worker = { .out = BUF_INIT(RESPONSE_MAX), .headers = BUF_INIT(HEADERS_MAX) };

static void *
model_alloc(size_t size)
{
	return arena_alloc(worker.arena, size);
}

static void
model_free(void *p ATTR_UNUSED)
{
	/* arena_reset() frees the whole model */
}

ATTR_NORETURN static void
out_of_memory(void *arg ATTR_UNUSED)
{
	longjmp(worker.out_of_memory, 1);
}

/* --- reading the request --- */

static const char *
param(const struct req *req, const char *name, const char *otherwise)
{
	const char *value = fcgi_param(req->call, name);

	return value ? value : otherwise;
}

static enum lang
choose_lang(struct req *req)
{
	const char *cookies = fcgi_param(req->call, "HTTP_COOKIE");
	enum lang lang = lang_from_code(
	    form_cookie(req, cookies, http_cookie_name(req, "lang")));

	return lang != LANG_COUNT ?
	    lang :
	    lang_from_header(fcgi_param(req->call, "HTTP_ACCEPT_LANGUAGE"));
}

/* A span id of our own; nginx has the one above it. */
static const char *
new_span(struct req *req)
{
	char token[SECRET_TOKEN_SIZE];

	secret_token(token);
	return arena_strndup(req->arena, token, 16);
}

static bool
is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* The address as it came, but with what no address may hold escaped: a model
 * takes nothing but UTF-8. */
static const char *
plain_path(struct req *req, const char *uri)
{
	size_t len = strcspn(uri, "?");
	struct buf plain = BUF_INIT(3 * len);
	const char *path;

	for (size_t i = 0; i < len; i++) {
		if (is_plain(uri[i]))
			buf_char(&plain, uri[i]);
		else
			buf_url(&plain, uri + i, 1);
	}
	path = arena_strndup(
	    req->arena, plain.len ? plain.data : "", plain.len);
	buf_free(&plain);
	return path;
}

static void
read_request(struct req *req)
{
	const char *uri = param(req, "REQUEST_URI", "/");

	req->method = param(req, "REQUEST_METHOD", "GET");
	req->head = strcmp(req->method, "HEAD") == 0;
	if (req->head)
		req->method = "GET";
	req->path = plain_path(req, uri);
	req->query = param(req, "QUERY_STRING", "");
	req->trace =
	    param(req, "SEOGA_TRACE", "00000000000000000000000000000000");
	req->addr = param(req, "REMOTE_ADDR", "");
	req->https = fcgi_param(req->call, "HTTPS") != NULL;
	req->api = fcgi_param(req->call, "SEOGA_API") != NULL;
	req->span = new_span(req);
}

static void
log_request(const struct req *req)
{
	log_event(LOG_INFO, "req.begin");
	log_str("method", req->head ? "HEAD" : req->method);
	log_str("path", req->path);
	log_str("span", req->span);
	log_str("parent", fcgi_param(req->call, "SEOGA_PARENT"));
	log_end();
}

/* --- the checks before a handler --- */

typedef int handler_fn(struct req *req);

static handler_fn *
handler_of(const struct req *req, const char *method)
{
	const struct route *r = req->route;

	if (strcmp(method, "GET") == 0)
		return req->api && r->needs & GET_IS_PAGE ? NULL : r->get;
	if (strcmp(method, "POST") == 0)
		return req->api && r->needs & POST_IS_PAGE ? NULL : r->post;
	if (strcmp(method, "DELETE") == 0)
		return req->api ? r->delete : NULL;
	return NULL;
}

static const char *
allowed_methods(struct req *req)
{
	const char *list = arena_printf(req->arena, "%s%s%s%s",
	    handler_of(req, "GET") ? ", GET, HEAD" : "",
	    handler_of(req, "POST") ? ", POST" : "",
	    handler_of(req, "DELETE") ? ", DELETE" : "",
	    req->api ? ", OPTIONS" : "");

	return list + strlen(", ");
}

/* Other sites' scripts may use the API if they are listed: no cookie counts
 * there, so there is nothing to steal. */
static bool
add_cors(struct req *req)
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
	    "ETag, Retry-After, X-Request-Id, traceparent");
	return true;
}

static int
preflight(struct req *req, bool listed)
{
	http_header(req, "Allow", allowed_methods(req));
	if (listed) {
		http_header(
		    req, "Access-Control-Allow-Methods", allowed_methods(req));
		http_header(req, "Access-Control-Allow-Headers",
		    "Authorization, Content-Type, Idempotency-Key,"
		    " If-None-Match, X-Request-Id, traceparent");
		http_header(req, "Access-Control-Max-Age", "600");
	}
	return page_send_nothing(req);
}

static int
check_method(struct req *req, handler_fn **found)
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
	if (rc < 0 && !(req->route->needs & NEED_NO_REDIS))
		return rc;
	if (rc < 0) {
		req_forgive(req);
		return sess_take(req, NULL);
	}
	req->prefetched = replies + n;
	return sess_take(req, replies);
}

static int
check_reader(struct req *req)
{
	bool member_only = req->route->needs & NEED_MEMBER ||
	    (req->route->needs & NEED_API_TOKEN && req->api);

	return member_only ? sess_need_login(req) : RC_OK;
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

static int
handle(struct req *req, handler_fn *handler)
{
	int form_rc, rc;

	if ((rc = check_body(req)) < 0 || (rc = load_session(req)) < 0 ||
	    (rc = check_reader(req)) < 0)
		return rc;
	form_rc = read_form(req);
	if (form_rc < 0 && !req->errors)
		return form_rc;
	if ((rc = check_forgery(req)) < 0)
		return rc;
	return form_rc < 0 ? form_rc : handler(req);
}

/* A form with mistakes comes back with every value kept. */
static int
show_again(struct req *req, int rc)
{
	if (req->api || !req->errors || !req->route->invalid)
		return rc;
	req->status = http_status(rc);
	return req->route->invalid(req);
}

static void
answer(struct req *req)
{
	bool listed = add_cors(req);
	handler_fn *handler;
	int rc = RC_OK;

	if (strcmp(req->method, "OPTIONS") == 0 && req->api) {
		preflight(req, listed);
		return;
	}
	rc = check_method(req, &handler);
	if (rc == RC_OK)
		rc = handle(req, handler);
	if (rc < 0)
		rc = show_again(req, rc);
	if (rc == RC_OK && !req->sent)
		rc = RC_BUG;
	if (rc < 0 && !req->sent)
		failure_send(req, (enum rc)rc);
}

/* --- the life of a request --- */

static void
init_request(struct req *req, struct fcgi_call *call)
{
	*req = (struct req){ .conf = &worker.conf,
		.route = worker.route,
		.arena = worker.arena,
		.db = worker.db,
		.cache = worker.cache,
		.out = &worker.out,
		.headers = &worker.headers,
		.call = call };
	memcpy(req->templates, worker.templates, sizeof(req->templates));
	buf_reset(&worker.out);
	buf_reset(&worker.headers);
	read_request(req);
	req->lang = choose_lang(req);
	lang_use(req->lang);
}

static void
end_request(struct req *req, int64_t start)
{
	log_event(req->status >= 500 ? LOG_WARN : LOG_INFO, "req.end");
	log_str("method", req->head ? "HEAD" : req->method);
	log_str("path", req->path);
	log_int("status", req->status);
	log_int("us", log_now() - start);
	log_int("db", req->db_count);
	log_int("redis", req->redis_count);
	log_int("bytes", (int64_t)req->bytes);
	if (req->sess && req->sess->user_id)
		log_int("user", req->sess->user_id);
	if (req->fail_text)
		log_str("why", req->fail_text);
	log_end();
	log_flush();
}

/* At the arena's cap: start over with an empty one, only to say so. */
static void
answer_memory(struct req *req, struct fcgi_call *call)
{
	arena_reset(worker.arena);
	init_request(req, call);
	log_msg(LOG_ERROR, "req.memory", "the request needs too much memory");
	failure_send(req, RC_BUG);
}

static void
serve(struct fcgi_call *call, void *arg ATTR_UNUSED)
{
	const char *trace = fcgi_param(call, "SEOGA_TRACE");
	static struct req req; /* survives the longjmp */
	int64_t start = log_now();

	log_begin(trace ? trace : "");
	if (setjmp(worker.out_of_memory) == 0) {
		init_request(&req, call);
		log_request(&req);
		answer(&req);
	} else if (!worker.answering_memory) {
		worker.answering_memory = true;
		answer_memory(&req, call);
	}
	worker.answering_memory = false;
	end_request(&req, start);
	arena_reset(worker.arena);
}

/* --- start and end of the program --- */

static int
load_templates(void)
{
	struct tmpl_error err = { 0 };

	for (int i = 0; i < LANG_COUNT; i++) {
		lang_use((enum lang)i);
		worker.templates[i] = tmpl_set_open_dir(
		    worker.conf.template_dir, lang_lookup, &err);
		if (worker.templates[i])
			continue;
		log_msg(LOG_ERROR, "tmpl.error", "%s.mustache:%d:%d: %s",
		    err.name, err.line, err.column, err.text);
		return RC_BUG;
	}
	return RC_OK;
}

static int
start(const struct route *route)
{
	char error[256];

	worker.route = route;
	log_open(route->name, NULL);
	if (conf_load(&worker.conf, error, sizeof(error)) < 0) {
		log_msg(LOG_ERROR, "conf.error", "%s", error);
		return RC_BUG;
	}
	if (log_open(route->name, worker.conf.log_file) < 0)
		log_msg(LOG_ERROR, "log.open", "cannot write to %s",
		    worker.conf.log_file);
	lang_open(worker.conf.locale_dir);
	if (secret_init() < 0 || page_init(&worker.conf) < 0 ||
	    load_templates() < 0)
		return RC_BUG;
	worker.arena = arena_open(REQUEST_MEMORY);
	worker.db = db_open(&worker.conf);
	worker.cache = cache_open(&worker.conf);
	if (!worker.arena || !worker.db || !worker.cache)
		return RC_BUG;
	arena_on_full(worker.arena, out_of_memory, NULL);
	json_set_alloc_funcs(model_alloc, model_free);
	return RC_OK;
}

static void
stop(void)
{
	db_close(worker.db);
	cache_close(worker.cache);
	for (int i = 0; i < LANG_COUNT; i++)
		tmpl_set_close(worker.templates[i]);
	arena_close(worker.arena);
	buf_free(&worker.out);
	buf_free(&worker.headers);
}

int
route_run(const struct route *route)
{
	struct fcgi_options options = { .serve = serve, .reopen = log_reopen };
	int status;

	if (start(route) < 0)
		return EXIT_FAILURE;
	if (route->nice && setpriority(PRIO_PROCESS, 0, route->nice) < 0)
		log_msg(LOG_WARN, "route.nice", "cannot stand back");
	options.body_max =
	    route->body_max ? route->body_max : (size_t)worker.conf.form_limit;
	status = fcgi_loop(&options);
	stop();
	return status;
}
