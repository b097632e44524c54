/* route -- see route.h. */
#include "route.h"

#include "failure.h"
#include "fcgi.h"
#include "gate.h"
#include "log.h"
#include "metric.h"
#include "secret.h"
#include "tmpl.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MEMORY ((size_t)16 * 1024 * 1024)
#define RESPONSE_MAX ((size_t)8 * 1024 * 1024)
#define HEADERS_MAX ((size_t)32 * 1024)

/* What a request has freed goes back, but for what the next one needs in any
 * case: otherwise one large page makes its program large for good. */
#define HEAP_KEEP (256 * 1024)	/* bytes at the end of the heap */
#define HEAP_BLOCK (192 * 1024) /* larger ones are never part of it */

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
	path =
	    arena_strndup(req->arena, plain.len ? plain.data : "", plain.len);
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
	req->sampled = fcgi_param(req->call, "SEOGA_SAMPLED") != NULL;
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

/* --- the answer --- */

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
	bool listed = gate_cors(req);
	gate_handler *handler;
	int rc = RC_OK;

	if (strcmp(req->method, "OPTIONS") == 0 && req->api) {
		gate_preflight(req, listed);
		return;
	}
	rc = gate_method(req, &handler);
	if (rc == RC_OK)
		rc = gate_pass(req);
	if (rc == RC_OK)
		rc = handler(req);
	if (rc < 0)
		rc = show_again(req, rc);
	if (rc == RC_OK && !req->sent)
		rc = RC_BUG;
	if (rc < 0 && !req->sent)
		failure_send(req, (enum rc)rc);
}

/* --- the life of a request --- */

static void
init_request(struct req *req, struct fcgi_call *call, int64_t begin)
{
	*req = (struct req){ .conf = &worker.conf,
		.route = worker.route,
		.prog = worker.route->name,
		.arena = worker.arena,
		.db = worker.db,
		.cache = worker.cache,
		.out = &worker.out,
		.headers = &worker.headers,
		.call = call,
		.begin = begin };
	memcpy(req->templates, worker.templates, sizeof(req->templates));
	buf_reset(&worker.out);
	buf_reset(&worker.headers);
	read_request(req);
	log_sampled(req->sampled);
	req->lang = choose_lang(req);
	lang_use(req->lang);
}

/* The tree of spans (span.h) makes spans of them: fields cost less than
 * lines. */
static void
log_part(const char *at, int64_t begin, const char *us, int64_t took)
{
	if (!took)
		return;
	if (at)
		log_int(at, begin);
	log_int(us, took);
}

static void
end_request(struct req *req)
{
	int64_t us = log_now() - req->begin;

	log_event(req->status >= 500 ? LOG_WARN : LOG_INFO, "req.end");
	log_str("method", req->head ? "HEAD" : req->method);
	log_str("path", req->path);
	log_int("status", req->status);
	log_int("us", us);
	log_int("db", req->db_count);
	log_int("redis", req->redis_count);
	log_int("bytes", (int64_t)req->bytes);
	log_part("sess_at", req->sess_at, "sess_us", req->sess_us);
	log_part("form_at", req->form_at, "form_us", req->form_us);
	log_part(NULL, 0, "send_us", req->send_us);
	if (req->sess && req->sess->user_id)
		log_int("user", req->sess->user_id);
	if (req->fail_text)
		log_str("why", req->fail_why ? req->fail_why : req->fail_text);
	log_end();
	if (us > METRIC_SLOW_US)
		log_keep();
	log_flush();
	metric_request(req->method, req->status, us);
}

/* At the arena's cap: start over with an empty one, only to say so. */
static void
answer_memory(struct req *req, struct fcgi_call *call, int64_t begin)
{
	arena_reset(worker.arena);
	init_request(req, call, begin);
	log_msg(LOG_ERROR, "req.memory", "the request needs too much memory");
	failure_send(req, RC_BUG);
}

static void
serve(struct fcgi_call *call, void *arg ATTR_UNUSED)
{
	const char *trace = fcgi_param(call, "SEOGA_TRACE");
	static struct req req; /* survives the longjmp */
	int64_t start;

	metric_busy(true);
	/* One clock: parts of the request are placed by it, lines by `at`. */
	start = log_begin(trace ? trace : "");
	if (setjmp(worker.out_of_memory) == 0) {
		init_request(&req, call, start);
		log_request(&req);
		answer(&req);
	} else if (!worker.answering_memory) {
		worker.answering_memory = true;
		answer_memory(&req, call, start);
	}
	worker.answering_memory = false;
	end_request(&req);
	arena_reset(worker.arena);
	metric_busy(false);
}

/* --- start and end of the program --- */

/* Compiles all in both languages, so that a mistake is told at the start. */
static int
check_templates(void)
{
	struct tmpl_error err = { 0 };
	struct tmpl_set *set;

	for (int i = 0; i < LANG_COUNT; i++) {
		lang_use((enum lang)i);
		set = tmpl_set_open_dir(
		    worker.conf.template_dir, lang_lookup, &err);
		if (!set) {
			log_msg(LOG_ERROR, "tmpl.error",
			    "%s.mustache:%d:%d: %s", err.name, err.line,
			    err.column, err.text);
			return RC_BUG;
		}
		tmpl_set_close(set);
	}
	return RC_OK;
}

/* Another process does it and goes: what all templates and messages take would
 * stay in each of some fifty programs, which show a page or two. */
static int
check_templates_aside(void)
{
	int status = -1;
	pid_t child;

	log_flush();
	child = fork();
	if (child == 0) {
		int rc = check_templates();

		log_flush();
		_exit(rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? RC_OK : RC_BUG;
}

static int
load_templates(void)
{
	if (check_templates_aside() < 0)
		return RC_BUG;
	for (int i = 0; i < LANG_COUNT; i++)
		worker.templates[i] =
		    tmpl_set_open_later(worker.conf.template_dir, lang_lookup);
	return RC_OK;
}

static int
start(const struct route *route)
{
	char error[256];

	worker.route = route;
	mallopt(M_TRIM_THRESHOLD, HEAP_KEEP);
	mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK);
	log_open(route->name, NULL);
	if (conf_load(&worker.conf, error, sizeof(error)) < 0) {
		log_msg(LOG_ERROR, "conf.error", "%s", error);
		return RC_BUG;
	}
	if (log_open(route->name, worker.conf.log_file) < 0)
		log_msg(LOG_ERROR, "log.open", "cannot write to %s",
		    worker.conf.log_file);
	metric_open(&worker.conf, route->name);
	log_open_ring(worker.conf.ring_file);
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
	log_open_ring(NULL);
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
	/* Any other end is a crash, so that someone looks into it. */
	if (status == EXIT_SUCCESS)
		metric_leave();
	return status;
}
