/*
 * search_facets -- counts of what the hits of a search are: categories,
 * languages, decades, prices.
 *
 * One statement hands over all of them as one text, which is counted here:
 * five GROUP BYs would find the hits five times.
 */
#include "model.h"
#include "search_internal.h"

/* How often each value came. */
struct tally {
	struct value {
		int64_t value, count;
	} * at;
	size_t n, size;
};

struct facets {
	struct req *req;
	struct tally categories, languages, decades, bands;
	int64_t in_stock;
};

static void
count(struct req *req, struct tally *t, int64_t value)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->at[i].value == value) {
			t->at[i].count++;
			return;
		}
	}
	if (t->n == t->size) {
		size_t size = t->size ? 2 * t->size : 32;
		struct value *at = arena_alloc(req->arena, size * sizeof(*at));

		if (t->n)
			memcpy(at, t->at, t->n * sizeof(*at));
		t->at = at;
		t->size = size;
	}
	t->at[t->n++] = (struct value){ value, 1 };
}

int
search_decade(int64_t year)
{
	if (year == SEARCH_ANY_DECADE)
		return SEARCH_ANY_DECADE;
	return year < SEARCH_FIRST_DECADE ? SEARCH_BEFORE_DECADES :
					    (int)(year - year % 10);
}

static int64_t
band_of(int64_t price)
{
	int64_t band = 1;

	while (band < SEARCH_BANDS && 100 * price >= search_bands[band])
		band++;
	return band;
}

/* "category,language,year or nothing,price,in stock;" */
static const char *
count_hit(struct facets *f, const char *s)
{
	char *end;
	int64_t year;

	count(f->req, &f->categories, strtoll(s, &end, 10));
	s = end + 1;
	count(f->req, &f->languages, s[0] << 8 | s[1]);
	s += 3;
	if (*s != ',') {
		year = strtoll(s, &end, 10);
		count(f->req, &f->decades, search_decade(year));
		s = end;
	}
	count(f->req, &f->bands, band_of(strtoll(s + 1, &end, 10)));
	f->in_stock += end[1] == '1';
	return end + 2 + (end[2] == ';');
}

static int
by_count(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static int
by_value(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static json_t *
listed(struct tally *t, int (*order)(const void *, const void *), bool text)
{
	json_t *list = json_array();

	if (t->n)
		qsort(t->at, t->n, sizeof(*t->at), order);
	for (size_t i = 0; i < t->n; i++) {
		int64_t value = t->at[i].value;
		char language[] = { (char)(value >> 8), (char)value, '\0' };
		json_t *item = json_object();

		if (text)
			model_set_text(item, "value", language);
		else
			model_set_int(item, "value", value);
		model_set_int(item, "count", t->at[i].count);
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *
facets_of(struct req *req, const json_t *row)
{
	struct facets f = { .req = req };
	const char *s = model_text(row, "facts");
	int64_t found = model_int(row, "found");

	while (s && *s)
		s = count_hit(&f, s);
	return json_pack("{s:I, s:b, s:o, s:o, s:o, s:o, s:I}", "found",
	    (json_int_t)(found > SEARCH_HITS_MAX ? SEARCH_HITS_MAX : found),
	    "more", found > SEARCH_HITS_MAX, "categories",
	    listed(&f.categories, by_count, false), "languages",
	    listed(&f.languages, by_count, true), "decades",
	    listed(&f.decades, by_value, false), "bands",
	    listed(&f.bands, by_value, false), "in_stock",
	    (json_int_t)f.in_stock);
}

int
search_facets(struct req *req, const struct search *s,
    const struct search_filter *f, json_t **facets)
{
	struct search_sql out = { .arena = req->arena,
		.sql = BUF_INIT(65536),
		.args = arena_alloc(
		    req->arena, SEARCH_ARGS_MAX * sizeof(struct db_arg)) };
	json_t *row;
	int rc;

	buf_str(&out.sql,
	    "SELECT COUNT(*) AS found, GROUP_CONCAT(category_id, ',',"
	    " language, ',', IFNULL(published_year, ''), ',', FLOOR(price),"
	    " ',', in_stock SEPARATOR ';') AS facts FROM (");
	search_hits(s, f,
	    "s.book_id, s.category_id, s.language, s.published_year, s.price,"
	    " s.in_stock",
	    &out);
	buf_str(&out.sql, ") h");
	rc = db_row(req, &(struct db_stmt){ "search.facets", out.sql.data },
	    out.args, out.nargs, &row);
	buf_free(&out.sql);
	if (rc == RC_OK)
		*facets = facets_of(req, row);
	return rc;
}
