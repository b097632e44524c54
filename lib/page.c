/* page -- see page.h. */
#include "page.h"

#include "buf.h"
#include "cache.h"
#include "fcgi.h"
#include "form.h"
#include "http.h"
#include "log.h"
#include "route.h"
#include "secret.h"
#include "sess.h"
#include "tmpl.h"

#include <time.h>

#define LOW_STOCK 3		/* copies left that are worth mentioning */
#define STATIC_MAX (1 << 20)	/* bytes of a static file */

/* URLs of the static files with their contents' hashes: a browser may keep
 * them for good. */
static struct {
	char css[64], icon[64];
} urls;

static int
hash_file(const struct conf *conf, const char *name, char *url, size_t size)
{
	static char content[STATIC_MAX];
	char path[4096], digest[SECRET_TOKEN_SIZE];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", conf->static_dir, name);
	f = fopen(path, "re");
	if (!f) {
		log_msg(LOG_ERROR, "page.static", "cannot read %s", path);
		return RC_BUG;
	}
	n = fread(content, 1, sizeof(content) - 1, f);
	content[n] = '\0';
	fclose(f);
	secret_mac("", "static", content, digest);
	snprintf(url, size, "/static/%s?v=%.16s", name, digest);
	return RC_OK;
}

int
page_init(const struct conf *conf)
{
	int rc = hash_file(conf, "seoga.css", urls.css, sizeof(urls.css));

	if (rc < 0)
		return rc;
	return hash_file(conf, "favicon.svg", urls.icon, sizeof(urls.icon));
}

/* --- how values look to a reader --- */

static const char *
grouped(struct req *req, int64_t n)
{
	char digits[24], out[32], *p = out;
	int len = snprintf(digits, sizeof(digits), "%lld",
	    (long long)(n < 0 ? -n : n));

	if (n < 0)
		*p++ = '-';
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	return arena_strndup(req->arena, out, (size_t)(p - out));
}

const char *
page_money(struct req *req, int64_t minor)
{
	const char *won = grouped(req, minor / 100);

	return arena_printf(req->arena,
	    req->lang == LANG_KO ? "%s원" : "₩%s", won);
}

static const char *
date_text(struct req *req, const struct tm *tm)
{
	static const char *const months[] = { "January", "February", "March",
		"April", "May", "June", "July", "August", "September",
		"October", "November", "December" };

	if (req->lang == LANG_KO)
		return arena_printf(req->arena, "%d년 %d월 %d일",
		    tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
	return arena_printf(req->arena, "%d %s %d", tm->tm_mday,
	    months[tm->tm_mon], tm->tm_year + 1900);
}

const char *
page_date(struct req *req, const char *iso)
{
	struct tm tm = { 0 };

	if (!iso || !strptime(iso, "%Y-%m-%d", &tm))
		return "";
	return date_text(req, &tm);
}

const char *
page_time(struct req *req, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	return arena_printf(req->arena, "%s %02d:%02d UTC",
	    date_text(req, &tm), tm.tm_hour, tm.tm_min);
}

static void
set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new_nocheck(object, key,
	    text ? json_string_nocheck(text) : json_null());
}

static int64_t
number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static json_t *
availability(struct req *req, int64_t stock)
{
	json_t *a = json_object();

	if (stock == 0) {
		set_text(a, "kind", "out");
		set_text(a, "text", _("Sold out"));
	} else if (stock <= LOW_STOCK) {
		set_text(a, "kind", "low");
		set_text(a, "text", arena_printf(req->arena,
		    _("Only %d left"), (int)stock));
	} else {
		set_text(a, "kind", "in");
		set_text(a, "text", _("In stock"));
	}
	return a;
}

/* Works of antiquity have negative years. */
static const char *
year_text(struct req *req, int64_t year)
{
	if (year == 0)
		return NULL;
	if (year < 0)
		return arena_printf(req->arena, _("%d BCE"), (int)-year);
	return arena_printf(req->arena, "%d", (int)year);
}

void
page_book(struct req *req, json_t *book)
{
	int64_t id = number(book, "id");
	const char *image =
	    json_string_value(json_object_get(book, "image_url"));

	set_text(book, "url",
	    arena_printf(req->arena, "/books/%lld", (long long)id));
	set_text(book, "cover_url", image ? image :
	    arena_printf(req->arena, "/covers/%lld.svg", (long long)id));
	set_text(book, "price_text", page_money(req, number(book, "price")));
	set_text(book, "year_text",
	    year_text(req, number(book, "published_year")));
	json_object_set_new_nocheck(book, "availability",
	    availability(req, number(book, "stock_quantity")));
}

/* --- sending --- */

static void
send_out(struct req *req, int status, const char *type, const struct buf *body)
{
	struct buf head = BUF_INIT(65536);
	size_t len = body ? body->len : 0;

	buf_printf(&head, "Status: %d %s\r\n", status, http_reason(status));
	if (type)
		buf_printf(&head, "Content-Type: %s\r\nContent-Length: %zu"
		    "\r\n", type, len);
	buf_add(&head, req->headers->data, req->headers->len);
	req->status = status;
	req->bytes = req->head ? 0 : len;
	req->sent = true;
	if (fcgi_reply(req->call, head.data, head.len,
	    len ? body->data : "", req->bytes) < 0)
		log_msg(LOG_INFO, "client.gone", "the reply was not taken");
	buf_free(&head);
}

int
page_send_nothing(struct req *req)
{
	send_out(req, 204, NULL, NULL);
	return RC_OK;
}

int
page_redirect(struct req *req, const char *path)
{
	http_header(req, "Location", http_url_is_local(path) ? path : "/");
	http_header(req, "Cache-Control", "no-store");
	send_out(req, 303, NULL, NULL);
	return RC_OK;
}

int
page_redirect_flash(struct req *req, const char *path, const char *kind,
    const char *text)
{
	if (sess_flash(req, kind, text) < 0)
		req_forgive(req);
	return page_redirect(req, path);
}

static int
dump_to_buf(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

static const char *
entity_tag(struct req *req, const struct buf *body)
{
	char digest[SECRET_TOKEN_SIZE];

	secret_mac("", "etag", body->data, digest);
	return arena_printf(req->arena, "\"%s\"", digest);
}

static void
send_json(struct req *req, int status, const char *type, const json_t *model)
{
	buf_reset(req->out);
	json_dump_callback(model, dump_to_buf, req->out, JSON_COMPACT);
	if (status == 200 && strcmp(req->method, "GET") == 0) {
		const char *tag = entity_tag(req, req->out);

		http_header(req, "ETag", tag);
		if (http_etag_matches(fcgi_param(req->call,
		    "HTTP_IF_NONE_MATCH"), tag)) {
			send_out(req, 304, NULL, NULL);
			return;
		}
	}
	send_out(req, status, type, req->out);
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
	return json_pack("{s:s%, s:s}", "kind", flash,
	    (size_t)(space - flash), "text", space + 1);
}

/* Where to come back to; what answers a POST cannot be got again. */
static const char *
here(struct req *req)
{
	if (strcmp(req->method, "GET") != 0)
		return "/";
	return *req->query ? arena_printf(req->arena, "%s?%s", req->path,
	    req->query) : req->path;
}

static const char *
login_url(struct req *req)
{
	/* Nobody wants to come back to where accounts are made. */
	bool entrance = strcmp(req->path, "/login") == 0 ||
	    strcmp(req->path, "/register") == 0;

	return arena_printf(req->arena, "/login?next=%s",
	    http_url_quote(req, entrance ? "/" : here(req)));
}

static json_t *
lang_links(struct req *req)
{
	static const char *const labels[] = { "한국어", "English" };
	const char *next = http_url_quote(req, here(req));
	json_t *links = json_array();

	for (int i = 0; i < LANG_COUNT; i++) {
		const char *code = lang_code((enum lang)i);

		json_array_append_new(links, json_pack("{s:s, s:s, s:b, s:s}",
		    "code", code, "label", labels[i],
		    "current", (int)req->lang == i,
		    "url", arena_printf(req->arena, "/lang?to=%s&next=%s", code,
		    next)));
	}
	return links;
}

static json_t *
error_summary(const json_t *errors)
{
	json_t *list = json_array(), *message;
	const char *field;

	json_object_foreach((json_t *)(uintptr_t)errors, field, message)
		json_array_append_new(list, json_pack("{s:s, s:O}",
		    "field", field, "message", message));
	return list;
}

/* Every field of the form has its message or null, its text or "". */
static void
add_form(struct req *req, json_t *model)
{
	json_t *errors = json_object(), *form = form_values(req);

	for (const struct field *f = req->route->fields; f && f->name; f++) {
		json_t *message = json_object_get(req->errors, f->name);

		json_object_set(errors, f->name,
		    message ? message : json_null());
		if (!json_object_get(form, f->name))
			set_text(form, f->name, "");
	}
	if (!json_object_get(model, "form"))
		json_object_set_new(model, "form", form);
	json_object_set_new(model, "errors", errors);
}

static void
add_errors(struct req *req, json_t *model)
{
	bool has_errors = req->errors != NULL;

	json_object_set_new_nocheck(model, "has_errors",
	    json_boolean(has_errors));
	json_object_set_new_nocheck(model, "error_summary",
	    has_errors ? error_summary(req->errors) : json_null());
	if (req->route->needs & NEED_FORM)
		add_form(req, model);
}

static void
add_reader(struct req *req, json_t *model)
{
	const struct sess *s = req->sess;
	bool member = s && s->user_id;

	json_object_set_new_nocheck(model, "guest", json_boolean(!member));
	json_object_set_new_nocheck(model, "signed_in", !member ?
	    json_false() : json_pack("{s:s, s:s, s:s}", "name", s->name,
	    "username", s->username, "role", s->role));
	json_object_set_new_nocheck(model, "cart_count",
	    s && s->cart_count > 0 ? json_integer(s->cart_count) :
	    json_null());
	if (s && req->route->needs & NEED_FORM)
		sess_keep(req);
	set_text(model, "csrf", s && s->id && (member ||
	    req->route->needs & NEED_FORM) ? sess_csrf(req) : "");
	json_object_set_new_nocheck(model, "flash", flash_value(req));
	if (!json_object_get(model, "login_url"))
		set_text(model, "login_url", login_url(req));
}

static void
add_if_missing(json_t *model, const char *key, json_t *value)
{
	if (json_object_get(model, key))
		json_decref(value);
	else
		json_object_set_new_nocheck(model, key, value);
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
	set_text(model, "css", urls.css);
	set_text(model, "icon", urls.icon);
	json_object_set_new_nocheck(model, "year", this_year());
	add_if_missing(model, "search", json_string(""));
	add_if_missing(model, "breadcrumb", json_array());
}

static void
add_layout(struct req *req, json_t *model)
{
	set_text(model, "lang", lang_code(req->lang));
	set_text(model, "page", req->route->name);
	set_text(model, "request_id", req->trace);
	json_object_set_new_nocheck(model, "lang_links", lang_links(req));
	add_site(model);
	add_reader(req, model);
	add_errors(req, model);
}

json_t *
page_bare_layout(void)
{
	json_t *model = json_pack("{s:s, s:b, s:b, s:n, s:s, s:n, s:s, s:b,"
	    " s:n, s:[]}", "page", "error", "guest", 1, "signed_in", 0,
	    "cart_count", "csrf", "", "flash", "login_url", "/login",
	    "has_errors", 0, "error_summary", "lang_links");

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
	json_array_append_new(crumbs, json_pack("{s:s, s:s?}", "label", label,
	    "url", url));
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
	const struct tmpl *t = tmpl_find(req->templates[req->lang], name);
	int64_t start = log_now();
	int rc;

	buf_reset(req->out);
	if (!t)
		return req_fail(req, RC_BUG, _("There is no template %s."),
		    name);
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
 * since its one-time key is used up. */
static void
page_headers(struct req *req)
{
	bool own = req->route->needs & NEED_FORM ||
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
	send_out(req, req->status ? req->status : 200,
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
		send_out(req, 304, NULL, NULL);
	else
		send_out(req, 200, "image/svg+xml", req->out);
	return RC_OK;
}

/* --- failures --- */

static const struct {
	int status;
	const char *heading, *what, *next;
} failures[] = {
	{ 400, N_("That could not be understood"),
	    N_("The address or the form holds something that this page cannot"
	       " read."),
	    N_("Go back and check what was entered.") },
	{ 401, N_("Please sign in"),
	    N_("This is only for members who are signed in."),
	    N_("Sign in, then try again.") },
	{ 403, N_("That is not allowed"),
	    N_("You may not see or do this."),
	    N_("Go back, reload the page and try again.") },
	{ 404, N_("There is no such page"),
	    N_("The address may be mistyped, or the page may have moved."),
	    N_("Check the address, or search for the book.") },
	{ 405, N_("That does not work here"),
	    N_("This address cannot be used in this way."),
	    N_("Go back and use the page's own buttons and links.") },
	{ 409, N_("That cannot be done right now"),
	    N_("Something has changed in the meantime."),
	    N_("Go back, reload the page and look at what changed.") },
	{ 413, N_("That is too large"),
	    N_("More was sent than this page accepts."),
	    N_("Send less at once.") },
	{ 415, N_("That format is not known here"),
	    N_("What was sent is in a format that this address does not"
	       " read."),
	    N_("Use the page's own form.") },
	{ 429, N_("Too many requests"),
	    N_("There were more requests from your address than we can"
	       " serve."),
	    N_("Wait a little, then try again.") },
	{ 500, N_("Something went wrong on our side"),
	    N_("The page could not be made because of a mistake of ours. It"
	       " has been written down."),
	    N_("Try again. If it happens again, tell us.") },
	{ 502, N_("A part of the site is not answering"),
	    N_("The program for this page is not running. It is being"
	       " started again."),
	    N_("Try again in a few seconds.") },
	{ 503, N_("The site is not complete right now"),
	    N_("A part of the site that this page needs is away for a"
	       " moment."),
	    N_("Wait a little, then try again.") },
	{ 504, N_("That took too long"),
	    N_("The page was not ready in time."),
	    N_("Try again in a moment.") },
};

json_t *
page_error_model(int status, const char *what)
{
	size_t i = 0;
	const char *kept = status >= 500 ?
	    _("Your cart and your account are safe. If you were sending a"
	      " form, look first whether it was done.") : "";

	while (i < LENGTH(failures) - 1 && failures[i].status != status)
		i++;
	return json_pack("{s:i, s:s, s:s, s:s, s:[s], s:n}",
	    "status", status,
	    "heading", _(failures[i].heading),
	    "what", what ? what : _(failures[i].what),
	    "kept", kept,
	    "next_steps", _(failures[i].next),
	    "retry_after");
}

static void
send_problem(struct req *req, int status, const json_t *model)
{
	json_t *problem = json_pack("{s:s, s:O, s:O, s:O, s:s, s:s}",
	    "type", "about:blank",
	    "title", json_object_get(model, "heading"),
	    "status", json_object_get(model, "status"),
	    "detail", json_object_get(model, "what"),
	    "instance", req->path, "request_id", req->trace);

	if (req->errors)
		json_object_set(problem, "errors", req->errors);
	if (status == 401)
		http_header(req, "WWW-Authenticate", "Bearer");
	http_header(req, "Cache-Control", "no-store");
	send_json(req, status, "application/problem+json", problem);
}

static void
send_error_page(struct req *req, int status, json_t *model)
{
	req->errors = NULL;	/* there is no form on this page */
	req->status = status;
	if (page_send(req, "error", model) == RC_OK)
		return;
	/* Not even that: say it without a template. */
	buf_reset(req->out);
	buf_printf(req->out, "%d %s\n%s\n", status, http_reason(status),
	    req->trace);
	send_out(req, status, "text/plain; charset=utf-8", req->out);
}

void
page_send_error(struct req *req, enum rc rc)
{
	int status = http_status(rc);
	json_t *model;

	if (rc == RC_LOGIN && !req->api) {
		page_redirect(req, login_url(req));
		return;
	}
	model = page_error_model(status, req->fail_text);
	if ((status == 503 || status == 429) && !req->retry_after)
		req->retry_after = 5;
	if (req->retry_after) {
		json_object_set_new(model, "retry_after",
		    json_integer(req->retry_after));
		http_headerf(req, "Retry-After", "%d", req->retry_after);
	}
	if (req->api)
		send_problem(req, status, model);
	else
		send_error_page(req, status, model);
}
