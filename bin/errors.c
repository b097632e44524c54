/*
 * seoga errors DIR -- makes the error pages that nginx sends by itself, from
 * the same templates as all others: STATUS.ko.html, STATUS.en.html and the
 * same as .json (RFC 9457).  nginx fills in the request id (SSI).
 */
#include "buf.h"
#include "command.h"
#include "failure.h"
#include "page.h"
#include "tmpl.h"

#include <errno.h>

#define REQUEST_ID "<!--# echo var=\"trace_id\" -->"
/* The marker has characters that a template escapes. */
#define ID_MARKER "SEOGA-REQUEST-ID"

/* What stands in the files where the marker is.  Members may look at what
 * happened; nginx knows no more than that somebody seems to be one. */
struct place {
	const char *marker, *text;
};
static const struct place in_page = { "<code>" ID_MARKER "</code>",
	"<!--# if expr=\"$may_look\" -->"
	"<a href=\"/trace/" REQUEST_ID "\"><code>" REQUEST_ID "</code></a>"
	"<!--# else --><code>" REQUEST_ID "</code><!--# endif -->" };
static const struct place in_problem = { ID_MARKER, REQUEST_ID };

static const int statuses[] = { 400, 403, 404, 405, 413, 429, 500, 502, 503,
	504 };

static void
write_file(struct req *req, const char *dir, int status, const char *kind,
    const struct place *place, const char *text)
{
	const char *path = arena_printf(
	    req->arena, "%s/%d.%s.%s", dir, status, lang_code(req->lang), kind);
	const char *marker = strstr(text, place->marker);
	FILE *f = fopen(path, "we");

	if (!f)
		command_die("cannot write %s: %s", path, strerror(errno));
	for (; marker; marker = strstr(text, place->marker)) {
		fwrite(text, 1, (size_t)(marker - text), f);
		fputs(place->text, f);
		text = marker + strlen(place->marker);
	}
	fputs(text, f);
	if (fclose(f) != 0)
		command_die("cannot write %s: %s", path, strerror(errno));
}

static void
make_page(struct req *req, struct tmpl_set *set, const char *dir, int status)
{
	const struct tmpl *t = tmpl_find(set, "error");
	struct buf out = BUF_INIT(1 << 20);
	json_t *model = page_bare_layout();

	json_object_update(model, failure_model(status, NULL));
	json_object_set_new(model, "lang", json_string(lang_code(req->lang)));
	json_object_set_new(model, "request_id", json_string(ID_MARKER));
	if (!t || tmpl_render(t, model, &out, NULL, NULL) < 0)
		command_die("the template error cannot be rendered");
	write_file(req, dir, status, "html", &in_page, out.data);
	buf_free(&out);
}

static void
make_problem(struct req *req, const char *dir, int status)
{
	json_t *model = failure_model(status, NULL);
	json_t *problem = json_pack("{s:s, s:O, s:i, s:O, s:s}", "type",
	    "about:blank", "title", json_object_get(model, "heading"), "status",
	    status, "detail", json_object_get(model, "what"), "request_id",
	    ID_MARKER);

	write_file(req, dir, status, "json", &in_problem,
	    json_dumps(problem, JSON_COMPACT));
}

static void
make_all(struct req *req, const char *dir, enum lang lang)
{
	struct tmpl_error err;
	struct tmpl_set *set;

	req->lang = lang;
	lang_use(lang);
	set = tmpl_set_open_dir(req->conf->template_dir, lang_lookup, &err);
	if (!set)
		command_die("%s.mustache:%d:%d: %s", err.name, err.line,
		    err.column, err.text);
	for (size_t i = 0; i < LENGTH(statuses); i++) {
		make_page(req, set, dir, statuses[i]);
		make_problem(req, dir, statuses[i]);
	}
	tmpl_set_close(set);
}

int
main(int argc, char **argv)
{
	struct req req;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("usage: seoga errors DIR\n"
		     "Makes the error pages of nginx: a part of starting the"
		     " site.");
		return EXIT_SUCCESS;
	}
	command_open(&req, "errors", false);
	if (argc != 2)
		command_die("usage: seoga errors DIR");
	if (page_init(req.conf) < 0)
		command_die("the static files cannot be read");
	for (int i = 0; i < LANG_COUNT; i++)
		make_all(&req, argv[1], (enum lang)i);
	command_close(&req);
	return EXIT_SUCCESS;
}
