/* GET /runbook and /runbook/<alert> -- what an alert means and what helps:
 * doc/runbook/ as pages.  For everybody, since they are wanted most when
 * nobody can sign in. */
#include "markdown.h"
#include "route.h"

#include <ctype.h>
#include <dirent.h>

#define TEXT_MAX 65536 /* bytes of a runbook */
#define LETTERS_MAX 60 /* of its name */
#define RUNBOOKS_MAX 200

static const struct field fields[] = {
	{ "id", FIELD_TEXT, FIELD_PATH, 1, LETTERS_MAX, N_("Runbook") }, { 0 }
};

/* Names are letters: none leads out of the folder. */
static bool
is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalpha((unsigned char)name[i]))
			return false;
	return len > 0 && len <= LETTERS_MAX;
}

/* Its file in a language; English ones are in the folder itself. */
static FILE *
open_text(struct req *req, const char *name, enum lang lang)
{
	return fopen(
	    arena_printf(req->arena, "%s/runbook/%s%s.md", req->conf->doc_dir,
		lang == LANG_KO ? "ko/" : "", name),
	    "re");
}

/* The text of one, in the request's memory and the reader's language, or in
 * English if there is no other; NULL when there is none. */
static char *
read_text(struct req *req, const char *name, size_t *len, enum lang *lang)
{
	FILE *f = open_text(req, name, req->lang);
	char *text;

	*lang = f ? req->lang : LANG_EN;
	if (!f)
		f = open_text(req, name, LANG_EN);
	if (!f)
		return NULL;
	text = arena_alloc(req->arena, TEXT_MAX);
	*len = fread(text, 1, TEXT_MAX - 1, f);
	text[*len] = '\0';
	fclose(f);
	return text;
}

/* --- one of them --- */

/* Files refer to each other by name; pages by address. */
static const char *
address_of(struct req *req, const char *url)
{
	size_t len = strlen(url);

	if (len > 3 && strcmp(url + len - 3, ".md") == 0 &&
	    is_name(url, len - 3))
		return arena_printf(
		    req->arena, "/runbook/%.*s", (int)len - 3, url);
	return http_url_is_local(url) ? url : "/runbook";
}

static json_t *
crumbs(json_t *model, const char *name)
{
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Runbooks"), name ? "/runbook" : NULL);
	if (name)
		page_crumb(model, name, NULL);
	return model;
}

static int
show_one(struct req *req, const char *name)
{
	bool good = is_name(name, strlen(name));
	enum lang lang;
	size_t len;
	const char *text = good ? read_text(req, name, &len, &lang) : NULL;
	json_t *model;

	if (!text)
		return req_fail(
		    req, RC_NOT_FOUND, _("There is no runbook of that name."));
	model = markdown_model(req, text, len, address_of);
	model_set_text(model, "name", name);
	model_set_text(model, "text_lang", lang_code(lang));
	return page_send(req, "runbook", crumbs(model, name));
}

/* --- all of them --- */

static int
is_runbook(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && strcmp(entry->d_name + len - 3, ".md") == 0 &&
	    is_name(entry->d_name, len - 3);
}

/* "# Name: what it says" */
static const char *
title_of(const char *text)
{
	const char *colon = strchr(text, ':');
	const char *end = strchr(text, '\n');

	return colon && end && colon < end ? colon + 1 + (colon[1] == ' ') :
					     text;
}

/* "**Warning**: ...": the first bold word says how bad it is. */
static const char *
severity_of(struct req *req, const char *text)
{
	const char *start = strstr(text, "**");
	const char *end = start ? strstr(start + 2, "**") : NULL;

	if (!end)
		return "";
	start += 2;
	return arena_strndup(req->arena, start, (size_t)(end - start));
}

static json_t *
entry_of(struct req *req, const char *file)
{
	const char *name =
	    arena_strndup(req->arena, file, strlen(file) - strlen(".md"));
	enum lang lang;
	size_t len;
	const char *text = read_text(req, name, &len, &lang);
	const char *title = text ? title_of(text) : "";

	return json_pack("{s:s, s:s, s:s, s:s, s:s%}", "name", name,
	    "text_lang", text ? lang_code(lang) : "", "url",
	    arena_printf(req->arena, "/runbook/%s", name), "severity",
	    severity_of(req, text ? text : ""), "title", title,
	    strcspn(title, "\n"));
}

static int
show_all(struct req *req)
{
	struct dirent **files;
	json_t *list = json_array();
	int n =
	    scandir(arena_printf(req->arena, "%s/runbook", req->conf->doc_dir),
		&files, is_runbook, alphasort);

	for (int i = 0; i < n; i++) {
		if (i < RUNBOOKS_MAX)
			json_array_append_new(
			    list, entry_of(req, files[i]->d_name));
		free(files[i]);
	}
	if (n >= 0)
		free(files);
	return page_send(req, "runbooks",
	    crumbs(json_pack("{s:o}", "runbooks", list), NULL));
}

static int
show(struct req *req)
{
	const char *name = form_str(req, "id");

	return name ? show_one(req, name) : show_all(req);
}

static const struct route runbook = {
	.name = "runbook",
	.get = show,
	.fields = fields,
	.needs = NEED_NO_REDIS,
};

int
main(void)
{
	return route_run(&runbook);
}
