/* view_fact -- see view_fact.h. */
#include "view_fact.h"

#include "category_edit.h"
#include "form.h"
#include "model.h"
#include "view.h"

#define PRICE_DIGITS 10 /* before the point; more is no price */

static const struct {
	const char *field, *label;
} labels[] = {
	{ "title", N_("Title") },
	{ "author", N_("Author") },
	{ "publisher", N_("Publisher") },
	{ "published_year", N_("Year") },
	{ "isbn13", "ISBN" },
	{ "language", N_("Language") },
	{ "description", N_("Description") },
	{ "price", N_("Price") },
	{ "category_id", N_("Category") },
	{ "image_url", N_("Picture") },
	{ "cover", N_("Cover") },
	{ "withdrawn", N_("Withdrawn") },
	{ "source_id", N_("Number in its source") },
	{ "added", N_("Added") },
	{ "changed", N_("Changed") },
	{ "unchanged", N_("Unchanged") },
	{ "refused", N_("Refused") },
	{ "stock_quantity", N_("Copies in stock") },
	{ "note", N_("Reason") },
	{ "reason", N_("Reason") },
	{ "name_ko", N_("Name in Korean") },
	{ "name_en", N_("Name in English") },
	{ "parent_id", N_("Within") },
	{ "position", N_("Place") },
	{ "role", N_("Role") },
	{ "locked", N_("Locked") },
	{ "state", N_("State") },
};

const char *
view_fact_label(const char *field)
{
	for (size_t i = 0; i < LENGTH(labels); i++) {
		if (strcmp(field, labels[i].field) == 0)
			return _(labels[i].label);
	}
	return field;
}

const char *
view_role(const char *role)
{
	if (strcmp(role, "admin") == 0)
		return _("Administrator");
	if (strcmp(role, "librarian") == 0)
		return _("Librarian");
	if (strcmp(role, "student") == 0)
		return _("Student");
	return _("Reader");
}

/* --- values --- */

static bool
is_field(const char *field, const char *name)
{
	return strcmp(field, name) == 0;
}

static const char *
category_text(struct req *req, const json_t *categories, int64_t id)
{
	const char *path = category_path(req, categories, id);

	return *path ? path :
		       arena_printf(req->arena, _("Category %lld, deleted"),
			   (long long)id);
}

static const char *
number_text(
    struct req *req, const json_t *categories, const char *field, int64_t n)
{
	if (is_field(field, "price"))
		return view_money(req, n);
	if (is_field(field, "category_id") || is_field(field, "parent_id"))
		return category_text(req, categories, n);
	if (is_field(field, "published_year") && n < 0)
		return arena_printf(req->arena, _("%d BCE"), (int)-n);
	return arena_printf(req->arena, "%lld", (long long)n);
}

const char *
view_fact_text(struct req *req, const json_t *categories, const char *field,
    const json_t *value)
{
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		return number_text(
		    req, categories, field, json_integer_value(value));
	if (json_is_boolean(value))
		return json_is_true(value) ? _("Yes") : _("No");
	if (!text)
		return is_field(field, "parent_id") ? _("the top") : "";
	if (is_field(field, "language"))
		return view_language(text);
	if (is_field(field, "role"))
		return view_role(text);
	/* The hash of a picture: enough of it to tell it from others. */
	if (is_field(field, "cover"))
		return arena_printf(req->arena, "%.12s", text);
	if (is_field(field, "state"))
		return *view_order_state(text) ? view_order_state(text) : text;
	return text;
}

const char *
view_fact_input(struct req *req, const char *field, const json_t *value)
{
	long long n = json_integer_value(value);

	if (!json_is_integer(value))
		return json_is_string(value) ? json_string_value(value) : "";
	if (!is_field(field, "price"))
		return arena_printf(req->arena, "%lld", n);
	if (n % 100 == 0)
		return arena_printf(req->arena, "%lld", n / 100);
	return arena_printf(req->arena, "%lld.%02lld", n / 100, n % 100);
}

json_t *
view_fact_inputs(
    struct req *req, const json_t *object, const char *const *fields)
{
	json_t *inputs = json_object();

	for (; *fields; fields++)
		model_set_text(inputs, *fields,
		    view_fact_input(
			req, *fields, json_object_get(object, *fields)));
	return inputs;
}

/* --- prices --- */

/* Past what people put before, between and behind the digits. */
static const char *
skip_signs(const char *s)
{
	static const char *const signs[] = { " ", ",", "₩", "원" };

	for (size_t i = 0; i < LENGTH(signs); i++) {
		if (strncmp(s, signs[i], strlen(signs[i])) == 0)
			return skip_signs(s + strlen(signs[i]));
	}
	return s;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
view_read_price(const char *text, int64_t *minor)
{
	int digits = 0, cents = 0;
	int64_t n = 0;
	const char *s;

	for (s = skip_signs(text); is_digit(*s); s = skip_signs(s + 1)) {
		n = n * 10 + (*s - '0');
		if (++digits > PRICE_DIGITS)
			return false;
	}
	if (*s == '.') {
		for (s++; is_digit(*s) && cents < 2; s++, cents++)
			n = n * 10 + (*s - '0');
		if (!cents)
			return false;
	}
	if (!digits || *skip_signs(s))
		return false;
	for (; cents < 2; cents++)
		n *= 10;
	*minor = n;
	return true;
}

/* --- choices --- */

json_t *
view_category_options(
    struct req *req, const json_t *categories, const char *current)
{
	/* No-break spaces: others are dropped in an option. */
	static const char indent[] = "\u00a0\u00a0\u00a0\u00a0";
	json_t *options = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(categories, i, one) {
		const char *value = arena_printf(
		    req->arena, "%lld", (long long)model_int(one, "id"));
		const char *label = model_text(one, "name");

		for (int64_t d = model_int(one, "depth"); d > 0; d--)
			label = arena_printf(req->arena, "%s%s", indent, label);
		json_array_append_new(options,
		    json_pack("{s:s, s:s, s:b}", "value", value, "label", label,
			"current", current && strcmp(current, value) == 0));
	}
	return options;
}

/* --- two versions --- */

static const json_t *
value_of(const json_t *object, const char *field)
{
	const json_t *value = json_object_get(object, field);

	return value ? value : json_null();
}

/* Whose to propose: of a fact that only one has changed, that one's; of one
 * that both have, what was typed. */
static json_t *
conflict_row(struct req *req, const struct view_conflict *c, const char *field)
{
	const json_t *mine = value_of(c->mine, field);
	const json_t *theirs = value_of(c->theirs, field);
	const json_t *changed = json_object_get(c->since, field);
	bool kept = changed && json_equal(mine, value_of(changed, "was"));
	const char *at = view_date(req, model_text(changed, "at"));
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s?}", "name",
	    field, "label", view_fact_label(field), "mine",
	    view_fact_text(req, c->categories, field, mine), "theirs",
	    view_fact_text(req, c->categories, field, theirs), "take_mine",
	    !kept, "both", changed && !kept, "actor",
	    model_text(changed, "actor"));

	model_set_text(row, "at_text", at);
	return row;
}

json_t *
view_conflict(struct req *req, const struct view_conflict *c)
{
	json_t *rows = json_array(), *carried = json_array();

	for (const char *const *f = c->fields; *f; f++) {
		const json_t *mine = value_of(c->mine, *f);

		json_array_append_new(carried,
		    json_pack("{s:s, s:s}", "name", *f, "value",
			view_fact_input(req, *f, mine)));
		if (!json_equal(mine, value_of(c->theirs, *f)))
			json_array_append_new(rows, conflict_row(req, c, *f));
	}
	return json_pack("{s:o, s:o}", "rows", rows, "carried", carried);
}

bool
view_pick(const struct req *req, const char *const *fields, json_t *mine,
    const json_t *theirs)
{
	bool any = false;

	for (; *fields; fields++) {
		const char *pick =
		    form_str(req, arena_printf(req->arena, "pick_%s", *fields));

		if (!pick || strcmp(pick, "theirs") != 0)
			continue;
		any = true;
		if (theirs)
			json_object_set(mine, *fields,
			    json_incref(json_object_get(theirs, *fields)));
	}
	return any;
}
