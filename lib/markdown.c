/* markdown -- see markdown.h. */
#include "markdown.h"

#include "model.h"

#include <cmark.h>

/* Where all this is for. */
struct target {
	struct req *req;
	const char *(*address)(struct req *req, const char *url);
};

/* All that is text in a node and below it. */
static const char *
text_of(const struct target *to, cmark_node *node)
{
	const char *own = cmark_node_get_literal(node), *text = own ? own : "";

	if (cmark_node_get_type(node) == CMARK_NODE_SOFTBREAK)
		text = " ";
	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		text =
		    arena_printf(to->req->arena, "%s%s", text, text_of(to, n));
	return text;
}

static json_t *
inline_of(const struct target *to, cmark_node *node)
{
	const char *text = text_of(to, node);
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
			to->address(to->req, cmark_node_get_url(node))));
		break;
	default:
		model_set_text(one, "text", text);
	}
	return one;
}

static json_t *
inlines_of(const struct target *to, cmark_node *node)
{
	json_t *list = json_array();

	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		json_array_append_new(list, inline_of(to, n));
	return json_pack("{s:o}", "inlines", list);
}

static json_t *blocks_of(const struct target *to, cmark_node *node, bool tight);

static json_t *
items_of(const struct target *to, cmark_node *list)
{
	json_t *items = json_array();

	for (cmark_node *n = cmark_node_first_child(list); n;
	     n = cmark_node_next(n))
		json_array_append_new(
		    items, blocks_of(to, n, cmark_node_get_list_tight(list)));
	return json_pack("{s:o}", "items", items);
}

/* The paragraphs of a tight list are no paragraphs. */
static json_t *
block_of(const struct target *to, cmark_node *node, bool tight)
{
	json_t *block = json_pack("{s:n, s:n, s:n, s:n, s:n}", "heading",
	    "paragraph", "line", "commands", "list");

	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_HEADING:
		model_set(block, "heading", inlines_of(to, node));
		break;
	case CMARK_NODE_LIST:
		model_set(block, "list", items_of(to, node));
		break;
	case CMARK_NODE_CODE_BLOCK:
		model_set_text(block, "commands", text_of(to, node));
		break;
	default:
		model_set(
		    block, tight ? "line" : "paragraph", inlines_of(to, node));
	}
	return block;
}

static json_t *
blocks_of(const struct target *to, cmark_node *node, bool tight)
{
	json_t *list = json_array();

	for (cmark_node *n = cmark_node_first_child(node); n;
	     n = cmark_node_next(n))
		json_array_append_new(list, block_of(to, n, tight));
	return json_pack("{s:o}", "blocks", list);
}

static void
free_document(void *document)
{
	cmark_node_free(document);
}

json_t *
markdown_model(struct req *req, const char *text, size_t len,
    const char *(*address)(struct req *req, const char *url))
{
	const struct target to = { req, address };
	cmark_node *document =
	    cmark_parse_document(text, len, CMARK_OPT_VALIDATE_UTF8);
	cmark_node *first = cmark_node_first_child(document);
	const char *title = "";
	json_t *model;

	/* A full arena jumps out of here. */
	arena_defer(req->arena, free_document, document);
	if (first && cmark_node_get_type(first) == CMARK_NODE_HEADING) {
		title = text_of(&to, first);
		cmark_node_unlink(first);
		arena_defer(req->arena, free_document, first);
	}
	model = blocks_of(&to, document, false);
	model_set_text(model, "title", title);
	return model;
}
