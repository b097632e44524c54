/* page -- see page.h. */
#include "page.h"

#include "buf.h"
#include "cache.h"
#include "fcgi.h"
#include "form.h"
#include "http.h"
#include "log.h"
#include "model.h"
#include "program.h"
#include "secret.h"
#include "sess.h"
#include "tmpl.h"

#include <sys/stat.h>
#include <time.h>

#define STATIC_MAX (1 << 20) /* bytes of a static file */

/* URLs of the static files with their contents' hashes: a browser may keep
 * them for good. */
static struct {
	char css[64], watch[64], icon[64];
} urls;

/* The text of a file; NULL without it. */
static char *
read_static(const char *path)
{
	FILE *f = fopen(path, "re");
	char *content = NULL;
	struct stat st;

	if (f && fstat(fileno(f), &st) == 0 && st.st_size <= STATIC_MAX)
		content = malloc((size_t)st.st_size + 1);
	if (content)
		content[fread(content, 1, (size_t)st.st_size, f)] = '\0';
	if (f)
		fclose(f);
	return content;
}

static int
hash_file(const struct conf *conf, const char *name, char *url, size_t size)
{
	char path[4096], digest[SECRET_TOKEN_SIZE], *content;

	snprintf(path, sizeof(path), "%s/%s", conf->static_dir, name);
	content = read_static(path);
	if (!content) {
		log_msg(LOG_ERROR, "page.static", "cannot read %s", path);
		return RC_BUG;
	}
	secret_mac("", "static", content, digest);
	snprintf(url, size, "/static/%s?v=%.16s", name, digest);
	free(content);
	return RC_OK;
}

int
page_init(const struct conf *conf)
{
	int rc = hash_file(conf, "seoga.css", urls.css, sizeof(urls.css));

	if (rc == RC_OK)
		rc = hash_file(
		    conf, "watch.css", urls.watch, sizeof(urls.watch));
	if (rc < 0)
		return rc;
	return hash_file(conf, "favicon.svg", urls.icon, sizeof(urls.icon));
}

/* --- what it cost, up to here --- */

static void
add_ms(struct buf *b, int64_t us)
{
	const char hundredths[] = { '.', (char)('0' + us / 100 % 10),
		(char)('0' + us / 10 % 10) };

	buf_int(b, us / 1000);
	buf_add(b, hundredths, sizeof(hundredths));
}

static void
add_backend(
    struct buf *b, const char *name, int64_t us, int n, const char *what)
{
	if (!n)
		return;
	buf_str(b, ", ");
	buf_str(b, name);
	add_ms(b, us);
	buf_str(b, ";desc=\"");
	buf_int(b, n);
	buf_str(b, what);
}

/* Server-Timing (W3C): developer tools show it beside the request. */
static void
add_timing(struct buf *head, const struct req *req, int64_t now)
{
	buf_str(head, "Server-Timing: total;dur=");
	add_ms(head, now - req->begin);
	add_backend(head, "db;dur=", req->db_us, req->db_count, " SQL\"");
	add_backend(
	    head, "redis;dur=", req->redis_us, req->redis_count, " trips\"");
	buf_str(head, "\r\n");
}

/* How long it took and how large it is, the page itself can tell only when it
 * is made: it has as many characters as PLACE where they are to be written. */
#define PLACE_MS "\u2248ms00"
#define PLACE_KB "\u2248kB00"
#define PLACE_LENGTH (sizeof(PLACE_MS) - 1)
#define FOOT_BYTES ((size_t)1024) /* the cost line is in the last of them */

static void
write_cost(struct buf *page, const char *place, double value)
{
	size_t from = page->len > FOOT_BYTES ? page->len - FOOT_BYTES : 0;
	char *end = page->data + page->len, *at = NULL, *p = page->data + from;
	char text[32];
	int len = snprintf(text, sizeof(text), "%*.*f", (int)PLACE_LENGTH,
	    value < 10 ? 1 : 0, value);

	/* The last: a reader may have written such a thing before. */
	while ((p = memmem(p, (size_t)(end - p), place, PLACE_LENGTH)))
		at = p++;
	if (at && len == (int)PLACE_LENGTH)
		memcpy(at, text, PLACE_LENGTH);
}

static void
write_costs(struct req *req)
{
	struct buf *page = req->out;

	write_cost(page, PLACE_MS, (double)(log_now() - req->begin) / 1000);
	write_cost(page, PLACE_KB, (double)page->len / 1000);
}

/* --- sending --- */

void
page_send_body(
    struct req *req, int status, const char *type, const struct buf *body)
{
	struct buf head = BUF_INIT(65536);
	size_t len = body ? body->len : 0;
	int64_t now;

	buf_printf(&head, "Status: %d %s\r\n", status, http_reason(status));
	if (type)
		buf_printf(&head,
		    "Content-Type: %s\r\nContent-Length: %zu"
		    "\r\n",
		    type, len);
	buf_add(&head, req->headers->data, req->headers->len);
	now = log_now();
	add_timing(&head, req, now);
	req->status = status;
	req->bytes = req->head ? 0 : len;
	req->sent = true;
	if (fcgi_reply(req->call, head.data, head.len, len ? body->data : "",
		req->bytes) < 0)
		log_msg(LOG_INFO, "client.gone", "the reply was not taken");
	req->send_us = log_now() - now;
	buf_free(&head);
}

int
page_send_nothing(struct req *req)
{
	page_send_body(req, 204, NULL, NULL);
	return RC_OK;
}

int
page_redirect(struct req *req, const char *path)
{
	http_header(req, "Location", http_url_is_local(path) ? path : "/");
	http_header(req, "Cache-Control", "no-store");
	page_send_body(req, 303, NULL, NULL);
	return RC_OK;
}

int
page_redirect_flash(
    struct req *req, const char *path, const char *kind, const char *text)
{
	if (sess_flash(req, kind, text) < 0)
		req_forgive(req);
	return page_redirect(req, path);
}

static const char *
entity_tag(struct req *req, const struct buf *body)
{
	char digest[SECRET_TOKEN_SIZE];

	secret_mac("", "etag", body->data, digest);
	return arena_printf(req->arena, "\"%s\"", digest);
}

bool
page_json_matches(struct req *req, const char *tags, const json_t *model)
{
	buf_reset(req->out);
	model_write(model, req->out);
	return http_etag_matches(tags, entity_tag(req, req->out));
}

static void
send_json(struct req *req, int status, const char *type, const json_t *model)
{
	buf_reset(req->out);
	model_write(model, req->out);
	if (status == 200 && strcmp(req->method, "GET") == 0) {
		const char *tag = entity_tag(req, req->out);

		http_header(req, "ETag", tag);
		if (http_etag_matches(
			fcgi_param(req->call, "HTTP_IF_NONE_MATCH"), tag)) {
			page_send_body(req, 304, NULL, NULL);
			return;
		}
	}
	page_send_body(req, status, type, req->out);
}

int
page_send_json(struct req *req, int status, json_t *model)
{
	bool own = req->route->needs & (NEED_MEMBER | NEED_API_TOKEN) ||
	    strcmp(req->method, "GET") != 0;

	http_header(req, "Cache-Control", own ? "no-store" : "no-cache");
	send_json(req, status, "application/json", model);
	return RC_OK;
}

/* --- the layout --- */

static json_t *
flash_value(struct req *req)
{
	const char *flash = req->sess ? req->sess->flash : NULL;
	const char *space = flash ? strchr(flash, ' ') : NULL;
	struct cache_reply *reply;

	if (!space)
		return json_null();
	if (cache_command(req, &reply, "HDEL",
		arena_printf(req->arena, "session:%s", req->sess->id), "flash",
		NULL) < 0)
		req_forgive(req);
	return json_pack("{s:s%, s:s}", "kind", flash, (size_t)(space - flash),
	    "text", space + 1);
}

/* Where to come back to: for what answers a POST the page that has the form,
 * if it is of the same address, and of an address too long to be handed on,
 * its path must do. */
static const char *
here(struct req *req)
{
	const char *url = req->path;

	if (strcmp(req->method, "GET") != 0)
		return req->route->get ? url : "/";
	if (*req->query)
		url = arena_printf(req->arena, "%s?%s", url, req->query);
	return http_url_is_local(url) ? url : req->path;
}

const char *
page_next(struct req *req)
{
	const char *next = form_str(req, "next");

	return next && http_url_is_local(next) ? next : "/";
}

static const char *
login_url(struct req *req, const char *next)
{
	return arena_printf(
	    req->arena, "/login?next=%s", http_url_quote(req, next));
}

const char *
page_login_url(struct req *req)
{
	/* Nobody wants to come back to where accounts are made. */
	bool entrance = strcmp(req->path, "/login") == 0 ||
	    strcmp(req->path, "/register") == 0;
	const char *url = login_url(req, entrance ? "/" : here(req));

	/* Escaped, it may have become too long for a redirect. */
	return http_url_is_local(url) ? url : login_url(req, req->path);
}

/* Links to this page in the other languages. */
static json_t *
lang_links(struct req *req)
{
	static const char *const labels[] = { "한국어", "English" };
	const char *next = http_url_quote(req, here(req));
	json_t *links = json_array(), *link;

	for (int i = 0; i < LANG_COUNT; i++) {
		const char *code = lang_code((enum lang)i);

		if (i == (int)req->lang)
			continue;
		link = json_object();
		model_set_text(link, "code", code);
		model_set_text(link, "label", labels[i]);
		model_set_text(link, "url",
		    arena_printf(
			req->arena, "/lang?to=%s&next=%s", code, next));
		json_array_append_new(links, link);
	}
	return links;
}

static json_t *
error_summary(json_t *errors)
{
	json_t *list = json_array(), *message;
	const char *field;

	json_object_foreach(errors, field, message)
		json_array_append_new(list,
		    json_pack(
			"{s:s, s:O}", "field", field, "message", message));
	return list;
}

/* Every field of the form has its message or null, its text or "". */
static void
add_form(struct req *req, json_t *model)
{
	json_t *errors = json_object(), *form = form_values(req);

	for (const struct field *f = req->route->fields; f && f->name; f++) {
		json_t *message = json_object_get(req->errors, f->name);

		json_object_set(
		    errors, f->name, message ? message : json_null());
		if (!json_object_get(form, f->name))
			model_set_text(form, f->name, "");
	}
	if (!json_object_get(model, "form"))
		json_object_set_new(model, "form", form);
	json_object_set_new(model, "errors", errors);
}

static void
add_errors(struct req *req, json_t *model)
{
	bool has_errors = req->errors != NULL;

	model_set(model, "has_errors", json_boolean(has_errors));
	model_set(model, "error_summary",
	    has_errors ? error_summary(req->errors) : json_null());
	if (req->route->needs & NEED_FORM)
		add_form(req, model);
}

/* The pages for librarians, and for administrators alone. */
static const struct {
	const char *url, *label;
	bool admin;
} admin_pages[] = {
	{ "/admin", N_("Overview"), false },
	{ "/admin/books", N_("Books"), false },
	{ "/admin/categories", N_("Categories"), false },
	{ "/admin/audit", N_("Changes"), false },
	{ "/admin/orders", N_("Orders"), true },
	{ "/admin/sales", N_("Sales"), true },
	{ "/admin/users", N_("Members"), true },
	{ "/admin/queues", N_("Queues"), true },
};

static bool
is_admin(const struct sess *s)
{
	return s && strcmp(s->role, "admin") == 0;
}

static bool
is_staff(const struct sess *s)
{
	return is_admin(s) || (s && strcmp(s->role, "librarian") == 0);
}

/* The pages that tell how the site is.  Other members see the traces of their
 * own requests alone, which is no way through anything. */
static const struct {
	const char *url, *label;
} status_pages[] = {
	{ "/status", N_("Status") },
	{ "/status/slo", N_("Objectives") },
	{ "/status/application", N_("Application") },
	{ "/status/api", "API" },
	{ "/status/database", "MariaDB" },
	{ "/status/redis", "Redis" },
	{ "/status/business", N_("Business") },
	{ "/status/attack", N_("Attacks") },
	{ "/trace", N_("Traces") },
	{ "/runbook", N_("Runbooks") },
};

static bool
begins(const char *path, const char *url)
{
	size_t len = strlen(url);

	return strncmp(path, url, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

/* Is path that page or one below it?  Below the first are all others. */
static bool
is_within(const char *path, const char *url)
{
	if (strcmp(url, admin_pages[0].url) == 0 ||
	    strcmp(url, status_pages[0].url) == 0)
		return strcmp(path, url) == 0;
	return begins(path, url);
}

static json_t *
admin_nav(const struct req *req)
{
	const struct sess *s = req->sess;
	json_t *links = json_array();

	if (!is_staff(s) || strncmp(req->path, "/admin", 6) != 0)
		return json_null();
	for (size_t i = 0; i < LENGTH(admin_pages); i++) {
		if (admin_pages[i].admin && !is_admin(s))
			continue;
		json_array_append_new(links,
		    json_pack("{s:s, s:s, s:b}", "url", admin_pages[i].url,
			"label", _(admin_pages[i].label), "current",
			is_within(req->path, admin_pages[i].url)));
	}
	return json_pack("{s:o}", "links", links);
}

static bool
sees_status(const struct sess *s)
{
	return is_admin(s) || (s && strcmp(s->role, "student") == 0);
}

static json_t *
status_nav(const struct req *req)
{
	json_t *links = json_array();

	if (!sees_status(req->sess) ||
	    (!begins(req->path, "/status") && !begins(req->path, "/trace") &&
		!begins(req->path, "/runbook")))
		return json_null();
	for (size_t i = 0; i < LENGTH(status_pages); i++)
		json_array_append_new(links,
		    json_pack("{s:s, s:s, s:b}", "url", status_pages[i].url,
			"label", _(status_pages[i].label), "current",
			is_within(req->path, status_pages[i].url)));
	return json_pack("{s:o}", "links", links);
}

static void
add_reader(struct req *req, json_t *model)
{
	const struct sess *s = req->sess;
	bool member = s && s->user_id;

	model_set(model, "guest", json_boolean(!member));
	model_set(model, "signed_in",
	    !member ? json_false() :
		      json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", s->name,
			  "username", s->username, "role", s->role, "staff",
			  is_staff(s), "watches", sees_status(s)));
	model_set(model, "admin_nav", admin_nav(req));
	model_set(model, "status_nav", status_nav(req));
	model_set(model, "cart_count",
	    s && s->cart_count > 0 ? json_integer(s->cart_count) : json_null());
	if (s && req->route->needs & NEED_FORM)
		sess_keep(req);
	model_set_text(model, "csrf",
	    s && s->id && (member || req->route->needs & NEED_FORM) ?
		sess_csrf(req) :
		"");
	model_set(model, "flash", flash_value(req));
	if (!member && !json_object_get(model, "login_url"))
		model_set_text(model, "login_url", page_login_url(req));
}

static void
add_if_missing(json_t *model, const char *key, json_t *value)
{
	if (json_object_get(model, key))
		json_decref(value);
	else
		model_set(model, key, value);
}

static json_t *
this_year(void)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return json_integer(tm.tm_year + 1900);
}

static void
add_site(json_t *model)
{
	model_set_text(model, "css", urls.css);
	model_set_text(model, "watch_css", urls.watch);
	model_set_text(model, "icon", urls.icon);
	model_set(model, "year", this_year());
	add_if_missing(model, "search", json_string(""));
	add_if_missing(model, "breadcrumb", json_array());
}

/* What is asked for is known before the page is made. */
static void
add_cost(struct req *req, json_t *model)
{
	json_t *cost = json_object();

	model_set_int(cost, "sql", req->db_count);
	model_set_int(cost, "trips", req->redis_count);
	model_set_text(cost, "ms", PLACE_MS);
	model_set_text(cost, "kb", PLACE_KB);
	model_set(model, "cost", cost);
}

static void
add_layout(struct req *req, json_t *model)
{
	model_set_text(model, "lang", lang_code(req->lang));
	model_set_text(model, "page", req->route->name);
	model_set_text(model, "request_id", req->trace);
	model_set_bool(model, "has_trace",
	    req->sampled && req->sess && req->sess->user_id);
	model_set(model, "lang_links", lang_links(req));
	add_site(model);
	add_reader(req, model);
	add_errors(req, model);
	add_cost(req, model);
}

json_t *
page_bare_layout(void)
{
	json_t *model =
	    json_pack("{s:s, s:b, s:b, s:b, s:n, s:n, s:n, s:s, s:n, s:s, s:b,"
		      " s:n, s:[], s:n}",
		"page", "error", "guest", 1, "signed_in", 0, "has_trace", 0,
		"admin_nav", "status_nav", "cart_count", "csrf", "", "flash",
		"login_url", "/login", "has_errors", 0, "error_summary",
		"lang_links", "cost");

	add_site(model);
	return model;
}

void
page_crumb(json_t *model, const char *label, const char *url)
{
	json_t *crumbs = json_object_get(model, "breadcrumb");

	if (!crumbs) {
		crumbs = json_array();
		json_object_set_new(model, "breadcrumb", crumbs);
	}
	json_array_append_new(
	    crumbs, json_pack("{s:s, s:s?}", "label", label, "url", url));
}

static void
unknown_name(void *arg ATTR_UNUSED, const char *tmpl, const char *name)
{
	log_event(LOG_ERROR, "tmpl.unknown");
	log_str("tmpl", tmpl);
	log_str("name", name);
	log_end();
}

static int
render(struct req *req, const char *name, const json_t *model)
{
	const struct tmpl *t;
	int64_t start = log_now();
	int rc;

	/* It may have to be compiled, and its messages translated. */
	lang_use(req->lang);
	t = tmpl_find(req->templates[req->lang], name);
	buf_reset(req->out);
	if (!t)
		return req_fail(
		    req, RC_BUG, _("There is no template %s."), name);
	rc = tmpl_render(t, model, req->out, unknown_name, NULL);
	log_event(LOG_INFO, "tmpl.render");
	log_str("name", name);
	log_int("bytes", (int64_t)req->out->len);
	log_int("us", log_now() - start);
	log_end();
	if (rc == RC_OK)
		return RC_OK;
	return req_fail(req, RC_BUG, _("The page could not be made."));
}

/* Pages are of one reader; one with a form is not shown again from memory,
 * since its one-time key is used up; a failure may be over the next time. */
static void
page_headers(struct req *req)
{
	bool own = req->route->needs & NEED_FORM || req->status >= 400 ||
	    (req->sess && req->sess->user_id);

	http_header(req, "Cache-Control", own ? "no-store" : "no-cache");
	http_header(req, "Content-Language", lang_code(req->lang));
	http_header(req, "Vary", "Cookie, Accept-Language");
}

int
page_send(struct req *req, const char *name, json_t *model)
{
	int rc;

	add_layout(req, model);
	rc = render(req, name, model);
	if (rc < 0)
		return rc;
	page_headers(req);
	write_costs(req);
	page_send_body(req, req->status ? req->status : 200,
	    "text/html; charset=utf-8", req->out);
	return RC_OK;
}

int
page_send_svg(struct req *req, const char *name, json_t *model)
{
	int rc = render(req, name, model);

	if (rc < 0)
		return rc;
	http_header(req, "Cache-Control", "public, max-age=86400");
	http_header(req, "ETag", entity_tag(req, req->out));
	if (http_etag_matches(fcgi_param(req->call, "HTTP_IF_NONE_MATCH"),
		entity_tag(req, req->out)))
		page_send_body(req, 304, NULL, NULL);
	else
		page_send_body(req, 200, "image/svg+xml", req->out);
	return RC_OK;
}

void
page_send_problem(struct req *req, int status, json_t *problem)
{
	http_header(req, "Cache-Control", "no-store");
	send_json(req, status, "application/problem+json", problem);
}
