/* GET /runbook and /runbook/<alert> -- what an alert means and what helps:
 * doc/runbook/ as pages.  For everybody, since they are wanted most when
 * nobody can sign in. */
#include "route.h"

#include <cmark.h>
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

/* --- one of them, as a model: the template escapes what it shows --- */

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

/* All that is text in a node and below it. */
static const char *
text_of(struct req *req, cmark_node *node)
{
	const char *own = cmark_node_get_literal(node), *text = own ? own : "";

	if (cmark_node_get_type(node) == CMARK_NODE_SOFTBREAK)
		text = " ";
	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		text = arena_printf(req->arena, "%s%s", text, text_of(req, n));
	return text;
}

static json_t *
inline_of(struct req *req, cmark_node *node)
{
	const char *text = text_of(req, node);
	json_t *one =
	    json_pack("{s:n, s:n, s:n, s:n}", "text", "code", "strong", "link");

	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_CODE:
		model_set_text(one, "code", text);
		break;
	case CMARK_NODE_EMPH:
	case CMARK_NODE_STRONG:
		model_set_text(one, "strong", text);
		break;
	case CMARK_NODE_LINK:
		model_set(one, "link",
		    json_pack("{s:s, s:s}", "label", text, "url",
			address_of(req, cmark_node_get_url(node))));
		break;
	default:
		model_set_text(one, "text", text);
	}
	return one;
}

static json_t *
inlines_of(struct req *req, cmark_node *node)
{
	json_t *list = json_array();

	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		json_array_append_new(list, inline_of(req, n));
	return json_pack("{s:o}", "inlines", list);
}

static json_t *blocks_of(struct req *req, cmark_node *node, bool tight);

static json_t *
items_of(struct req *req, cmark_node *list)
{
	json_t *items = json_array();

	for (cmark_node *n = cmark_node_first_child(list); n;
	     n = cmark_node_next(n))
		json_array_append_new(
		    items, blocks_of(req, n, cmark_node_get_list_tight(list)));
	return json_pack("{s:o}", "items", items);
}

/* The paragraphs of a tight list are no paragraphs. */
static json_t *
block_of(struct req *req, cmark_node *node, bool tight)
{
	json_t *block = json_pack("{s:n, s:n, s:n, s:n, s:n}", "heading",
	    "paragraph", "line", "commands", "list");

	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_HEADING:
		model_set(block, "heading", inlines_of(req, node));
		break;
	case CMARK_NODE_LIST:
		model_set(block, "list", items_of(req, node));
		break;
	case CMARK_NODE_CODE_BLOCK:
		model_set_text(block, "commands", text_of(req, node));
		break;
	default:
		model_set(
		    block, tight ? "line" : "paragraph", inlines_of(req, node));
	}
	return block;
}

static json_t *
blocks_of(struct req *req, cmark_node *node, bool tight)
{
	json_t *list = json_array();

	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		json_array_append_new(list, block_of(req, n, tight));
	return json_pack("{s:o}", "blocks", list);
}

static void
free_document(void *document)
{
	cmark_node_free(document);
}

/* The first heading is the page's. */
static json_t *
model_of(struct req *req, const char *text, size_t len)
{
	cmark_node *document =
	    cmark_parse_document(text, len, CMARK_OPT_VALIDATE_UTF8);
	cmark_node *first = cmark_node_first_child(document);
	const char *title = "";
	json_t *model;

	/* A full arena jumps out of here. */
	arena_defer(req->arena, free_document, document);
	if (first && cmark_node_get_type(first) == CMARK_NODE_HEADING) {
		title = text_of(req, first);
		cmark_node_unlink(first);
		arena_defer(req->arena, free_document, first);
	}
	model = blocks_of(req, document, false);
	model_set_text(model, "title", title);
	return model;
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
	model = model_of(req, text, len);
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

static json_t *
entry_of(struct req *req, const char *file)
{
	const char *name =
	    arena_strndup(req->arena, file, strlen(file) - strlen(".md"));
	enum lang lang;
	size_t len;
	const char *text = read_text(req, name, &len, &lang);
	const char *title = text ? title_of(text) : "";

	return json_pack("{s:s, s:s, s:s, s:s%}", "name", name, "text_lang",
	    text ? lang_code(lang) : "", "url",
	    arena_printf(req->arena, "/runbook/%s", name), "title", title,
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
