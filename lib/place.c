/* place -- see place.h. */
#include "place.h"

#include "buf.h"
#include "model.h"
#include "view.h"

enum book_sort
place_usual_sort(const struct place *at)
{
	return *at->q ? BOOK_BY_RELEVANCE : BOOK_BY_TITLE;
}

static void
add_text(struct buf *b, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(b, "%s=", name);
	buf_url(b, value, strlen(value));
	buf_char(b, '&');
}

const char *
place_url(struct req *req, const struct place *to)
{
	struct buf b = BUF_INIT(4096);
	const char *url;

	buf_str(&b, "/books?");
	add_text(&b, "q", to->q);
	if (to->category)
		buf_printf(&b, "category=%lld&", (long long)to->category);
	add_text(&b, "language", to->language);
	if (to->decade)
		buf_printf(&b, "decade=%d&", to->decade);
	if (to->band)
		buf_printf(&b, "price=%d&", to->band);
	if (to->in_stock)
		buf_str(&b, "in_stock=1&");
	if (to->sort != place_usual_sort(to))
		buf_printf(&b, "sort=%s&", book_sort_text(to->sort));
	if (to->cursor)
		add_text(&b, to->way, to->cursor);
	/* The last character is a separator that nothing follows. */
	url = arena_strndup(req->arena, b.data, b.len - 1);
	buf_free(&b);
	return url;
}

json_t *
place_sort_links(struct req *req, const struct place *at)
{
	const struct {
		enum book_sort sort;
		const char *label;
	} sorts[] = { { BOOK_BY_RELEVANCE, _("Relevance") },
		{ BOOK_BY_TITLE, _("Title") }, { BOOK_BY_NEWEST, _("Newest") },
		{ BOOK_BY_PRICE, _("Price") } };
	json_t *links = json_array();
	struct place to = *at;

	for (size_t i = *at->q ? 0 : 1; i < LENGTH(sorts); i++) {
		to.sort = sorts[i].sort;
		json_array_append_new(links,
		    json_pack("{s:s, s:s, s:b}", "label", sorts[i].label, "url",
			place_url(req, &to), "current", to.sort == at->sort));
	}
	return links;
}

static void
set_page_url(struct req *req, const struct place *at, json_t *model,
    const char *name, const char *way, const json_t *cursor)
{
	struct place to = *at;

	to.way = way;
	to.cursor = json_string_value(cursor);
	model_set_text(model, name, to.cursor ? place_url(req, &to) : NULL);
}

void
place_show_pager(
    struct req *req, const struct place *at, json_t *model, const json_t *page)
{
	const json_t *previous = json_object_get(page, "previous");

	set_page_url(req, at, model, "prev_url", "before", previous);
	set_page_url(
	    req, at, model, "next_url", "after", json_object_get(page, "next"));
	model_set_text(model, "first_url",
	    json_is_null(previous) ? NULL : place_url(req, at));
}

/* Puts the count of hits in place of that of all books; true if there are
 * any in this branch, else the nodes go. */
static int64_t
count_branch(json_t *branch, const json_t *counts)
{
	int64_t sum = 0;

	for (size_t i = json_array_size(branch); i-- > 0;) {
		json_t *node = json_array_get(branch, i);
		int64_t n =
		    count_branch(json_object_get(node, "children"), counts);
		const json_t *count;
		size_t j;

		json_array_foreach(counts, j, count)
			if (model_int(count, "value") == model_int(node, "id"))
				n += model_int(count, "count");
		model_set_int(node, "count", n);
		if (n == 0)
			json_array_remove(branch, i);
		sum += n;
	}
	return sum;
}

static json_t *
choice(struct req *req, const struct place *to, const char *label,
    int64_t count, bool current)
{
	return json_pack("{s:s, s:s, s:I, s:b}", "url", place_url(req, to),
	    "label", label, "count", (json_int_t)count, "current", current);
}

static const char *
language_name(const char *code)
{
	if (strcmp(code, "ko") == 0)
		return _("Korean");
	if (strcmp(code, "en") == 0)
		return _("English");
	return code;
}

static const char *
decade_name(struct req *req, int decade)
{
	if (decade == SEARCH_BEFORE_DECADES)
		return arena_printf(
		    req->arena, _("before %d"), SEARCH_FIRST_DECADE);
	return arena_printf(req->arena, "%d–%d", decade, decade + 9);
}

static const char *
band_name(struct req *req, int band)
{
	const char *from = view_money(req, search_bands[band - 1]);
	const char *to = view_money(req, search_bands[band]);

	if (band == 1)
		return arena_printf(req->arena, _("under %s"), to);
	if (band == SEARCH_BANDS)
		return arena_printf(req->arena, _("%s and more"), from);
	return arena_printf(req->arena, _("%s to under %s"), from, to);
}

/* The choices of one kind; choosing the chosen one again lets it go. */
static json_t *
choices(struct req *req, const struct place *at, const json_t *values,
    const char *kind)
{
	json_t *list = json_array();
	const json_t *value;
	size_t i;

	json_array_foreach(values, i, value) {
		struct place to = *at;
		int n = (int)model_int(value, "value");
		const char *label;
		bool current;

		if (*kind == 'l') {
			current = to.language != NULL;
			to.language =
			    current ? NULL : model_text(value, "value");
			label = language_name(model_text(value, "value"));
		} else if (*kind == 'd') {
			current = to.decade == n;
			to.decade = current ? SEARCH_ANY_DECADE : n;
			label = decade_name(req, n);
		} else {
			current = to.band == n;
			to.band = current ? 0 : n;
			label = band_name(req, n);
		}
		json_array_append_new(list,
		    choice(
			req, &to, label, model_int(value, "count"), current));
	}
	return list;
}

static json_t *
stock_choice(struct req *req, const struct place *at, int64_t count)
{
	json_t *list = json_array();
	struct place to = *at;

	if (count > 0) {
		to.in_stock = !to.in_stock;
		json_array_append_new(
		    list, choice(req, &to, _("In stock"), count, at->in_stock));
	}
	return list;
}

static void
add_facet(json_t *facets, const char *name, json_t *list)
{
	if (json_array_size(list) > 0)
		json_array_append_new(facets,
		    json_pack("{s:s, s:o}", "name", name, "choices", list));
}

static bool
is_narrowed(const struct place *here)
{
	return here->category || here->language || here->decade || here->band ||
	    here->in_stock;
}

static void
set_facets(struct req *req, const struct place *at, json_t *model,
    const json_t *facets)
{
	struct place all = { .q = at->q, .sort = at->sort };
	json_t *list = json_array();

	count_branch(json_object_get(model, "categories"),
	    json_object_get(facets, "categories"));
	add_facet(list, _("Language"),
	    choices(req, at, json_object_get(facets, "languages"), "language"));
	add_facet(list, _("Year"),
	    choices(req, at, json_object_get(facets, "decades"), "decade"));
	add_facet(list, _("Price"),
	    choices(req, at, json_object_get(facets, "bands"), "band"));
	add_facet(list, _("Availability"),
	    stock_choice(req, at, model_int(facets, "in_stock")));
	json_object_set_new(model, "facets", list);
	model_set_bool(model, "narrowed", is_narrowed(at));
	model_set_text(
	    model, "all_url", is_narrowed(at) ? place_url(req, &all) : NULL);
}

static void
set_found(struct req *req, json_t *model, const json_t *facets)
{
	int64_t found = model_int(facets, "found");
	const char *number = view_number(req, found), *text;

	if (json_is_true(json_object_get(facets, "more")))
		text = arena_printf(req->arena,
		    _("More than %s books were found; these are of the first."
		      " Another word would narrow them down."),
		    number);
	else if (found == 1)
		text = _("1 book was found.");
	else
		text =
		    arena_printf(req->arena, _("%s books were found."), number);
	model_set_text(model, "found_text", found ? text : NULL);
}

static int
set_suggestions(struct req *req, const struct place *at, json_t *model)
{
	json_t *phrases, *phrase, *links = json_array();
	struct place to = { .sort = BOOK_BY_RELEVANCE };
	size_t i;
	int rc = search_suggest(req, at->q, &phrases);

	if (rc < 0)
		return rc;
	json_array_foreach(phrases, i, phrase) {
		to.q = json_string_value(phrase);
		json_array_append_new(links,
		    json_pack("{s:O, s:s}", "text", phrase, "url",
			place_url(req, &to)));
	}
	json_object_set_new(model, "suggestions", links);
	model_set_bool(model, "suggested", json_array_size(links) > 0);
	return RC_OK;
}

int
place_show_found(struct req *req, const struct place *at,
    const struct search *search, const struct search_filter *filter,
    json_t *model)
{
	json_t *facets;
	int rc = search_facets(req, search, filter, &facets);

	if (rc < 0)
		return rc;
	set_found(req, model, facets);
	set_facets(req, at, model, facets);
	return model_int(facets, "found") || is_narrowed(at) ?
	    RC_OK :
	    set_suggestions(req, at, model);
}
