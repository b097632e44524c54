/* GET /trace/ID -- one request as a waterfall; POST asks MariaDB how it would
 * carry out one of its statements; GET /trace/compare puts two side by side. */
#include "route.h"
#include "span_sum.h"
#include "statement.h"
#include "traces.h"
#include "view_trace.h"

#define ID_MAX 60
#define LINES_MAX 600 /* that a page can show; more are cut */

static const struct field fields[] = { { "id", FIELD_TEXT, FIELD_PATH, 0,
					   ID_MAX, N_("Request id") },
	{ "a", FIELD_TEXT, FIELD_QUERY, 0, ID_MAX, "A" },
	{ "b", FIELD_TEXT, FIELD_QUERY, 0, ID_MAX, "B" },
	{ "explain", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 120,
	    N_("Statement") },
	{ 0 } };

/* Of somebody else's request a reader does not even learn that it was. */
static bool
sees_all(const struct req *req)
{
	const char *role = req->sess->role;

	return strcmp(role, "admin") == 0 || strcmp(role, "student") == 0;
}

static bool
is_admin(const struct req *req)
{
	return strcmp(req->sess->role, "admin") == 0;
}

/* --- which one --- */

static int
read_id(struct req *req, const char *text, const char **digits)
{
	char *id = arena_alloc(req->arena, SPAN_TRACE_DIGITS + 1);

	if (!span_read_id(text ? text : "", id))
		return req_fail(req, RC_NOT_FOUND,
		    _("That is no request id. One has %d hexadecimal digits,"
		      " as the foot of each page shows; the first %d or more"
		      " will do."),
		    SPAN_TRACE_DIGITS, SPAN_DIGITS_MIN);
	*digits = id;
	return RC_OK;
}

static int
not_kept(struct req *req, const char *digits)
{
	req_forgive(req);
	return req_fail(req, RC_NOT_FOUND,
	    _("No trace that you may see begins with %s, or several do. A"
	      " request takes a second or two until it is here, and is kept"
	      " for %d minutes. The logs have it for longer: bin/seoga trace"
	      " %s"),
	    digits, req->conf->trace_keep_s / 60, digits);
}

/* A client may use one id again and again: its latest requests. */
static bool
cut(json_t *lines)
{
	json_t *latest = json_array(), *line;
	size_t n = json_array_size(lines), i;

	if (n > LINES_MAX) {
		json_array_foreach(lines, i, line)
			if (i >= n - LINES_MAX)
				json_array_append(latest, line);
		json_array_clear(lines);
		json_array_extend(lines, latest);
	}
	json_decref(latest);
	return n > LINES_MAX;
}

static int
find(struct req *req, const char *text, const char **id, json_t **roots,
    bool *is_cut)
{
	const char *digits;
	json_t *lines, *found;
	int rc = read_id(req, text, &digits);

	if (rc < 0)
		return rc;
	rc = traces_find(req, digits, &lines);
	if (rc == RC_NOT_FOUND)
		return not_kept(req, digits);
	if (rc < 0)
		return rc;
	*is_cut = cut(lines);
	found = span_trees(lines);
	if (!sees_all(req))
		found = span_own(found, req->sess->user_id);
	if (json_array_size(found) == 0)
		return not_kept(req, digits);
	*id = model_text(json_array_get(lines, 0), "trace");
	*roots = found;
	return RC_OK;
}

/* --- one --- */

static void
set_who(struct req *req, json_t *root)
{
	int64_t user = model_int(root, "user");

	model_set(root, "own", json_boolean(user == req->sess->user_id));
	model_set(root, "member",
	    user && is_admin(req) ? json_integer(user) : json_null());
	model_set_bool(root, "guest_request", user == 0);
}

static json_t *
view_roots(struct req *req, const json_t *roots)
{
	json_t *views = json_array(), *root, *view;
	size_t i;

	json_array_foreach(roots, i, root) {
		if (span_is_later(root))
			continue;
		view = view_trace_root(req, root, json_array_size(views) + 1);
		set_who(req, view);
		json_array_append_new(views, view);
	}
	return views;
}

static int
view_statements(struct req *req, const json_t *roots, json_t **list)
{
	json_t *names = view_trace_statements(roots), *texts, *entry;
	json_t *views = json_array();
	const char *name;
	int rc = statement_texts(req, names, &texts);

	if (rc < 0)
		return rc;
	json_object_foreach(names, name, entry) {
		const char *text = model_text(texts, name);

		json_array_append_new(views,
		    json_pack("{s:s, s:s?, s:O, s:s, s:b}", "name", name,
			"text", text, "n", json_object_get(entry, "n"), "ms",
			view_ms(req, model_int(entry, "us")), "explain",
			text && sees_all(req) && statement_is_select(text)));
	}
	*list = views;
	return RC_OK;
}

static int
show_one(struct req *req)
{
	json_t *roots, *model, *views, *statements, *lines;
	const char *id;
	bool is_cut;
	int rc = find(req, form_str(req, "id"), &id, &roots, &is_cut);

	if (rc < 0 || (rc = view_statements(req, roots, &statements)) < 0)
		return rc;
	views = view_roots(req, roots);
	lines = view_trace_lines(req, roots);
	model = json_pack("{s:s, s:O, s:b, s:o, s:O, s:b, s:O, s:I, s:b}",
	    "trace", id, "roots", views, "several", json_array_size(views) > 1,
	    "later", view_trace_later(req, roots), "statements", statements,
	    "any_statements", json_array_size(statements) > 0, "lines", lines,
	    "line_count", (json_int_t)json_array_size(lines), "sees_all",
	    sees_all(req));
	model_set_bool(model, "is_cut", is_cut);
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Traces"), "/trace");
	page_crumb(model, arena_printf(req->arena, "%.8s…", id), NULL);
	return page_send(req, "trace", model);
}

/* --- two --- */

static json_t *
first_root(const json_t *roots)
{
	json_t *root;
	size_t i;

	json_array_foreach(roots, i, root) {
		if (!span_is_later(root))
			return root;
	}
	return json_array_get(roots, 0);
}

static json_t *
side(struct req *req, const char *id, json_t *root)
{
	json_t *view = view_trace_root(req, root, 1);

	model_set_text(view, "id", id);
	return view;
}

static int
show_two(struct req *req)
{
	const char *id_a, *id_b;
	bool is_cut;
	json_t *a, *b, *model;
	int rc = find(req, form_str(req, "a"), &id_a, &a, &is_cut);

	if (rc < 0 ||
	    (rc = find(req, form_str(req, "b"), &id_b, &b, &is_cut)) < 0)
		return rc;
	model = view_trace_pair(req, first_root(a), first_root(b));
	model_set(model, "left", side(req, id_a, first_root(a)));
	model_set(model, "right", side(req, id_b, first_root(b)));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Traces"), "/trace");
	page_crumb(model, _("Compare"), NULL);
	return page_send(req, "trace-compare", model);
}

static int
show(struct req *req)
{
	return form_has(req, "id") ? show_one(req) : show_two(req);
}

/* --- how MariaDB goes about a statement --- */

static int
explain(struct req *req)
{
	const char *name = form_str(req, "explain"), *id;
	json_t *plan;
	int rc;

	if (!sees_all(req))
		return RC_FORBIDDEN;
	if ((rc = read_id(req, form_str(req, "id"), &id)) < 0)
		return rc;
	rc = statement_explain(req, name, &plan);
	if (rc == RC_NOT_FOUND)
		return req_fail(req, rc, "%s",
		    _("No program has told the text of that statement in the"
		      " last minutes."));
	if (rc == RC_BAD_INPUT)
		return req_fail(req, rc, "%s",
		    _("MariaDB is asked about statements that read only."));
	if (rc < 0)
		return rc;
	model_set_bool(plan, "any_values",
	    json_array_size(json_object_get(plan, "values")) > 0);
	model_set_text(plan, "back", arena_printf(req->arena, "/trace/%s", id));
	page_crumb(plan, _("Home"), "/");
	page_crumb(plan, _("Traces"), "/trace");
	page_crumb(plan, arena_printf(req->arena, "%.8s…", id),
	    model_text(plan, "back"));
	page_crumb(plan, "EXPLAIN", NULL);
	return page_send(req, "trace-explain", plan);
}

static const struct route trace = {
	.name = "trace",
	.get = show,
	.post = explain,
	.fields = fields,
	.needs = NEED_MEMBER | NEED_FORM,
};

int
main(void)
{
	return route_run(&trace);
}
