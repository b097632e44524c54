/* checkout -- see checkout.h. */
#include "checkout.h"

#include "buf.h"
#include "form.h"
#include "model.h"
#include "view.h"

#include <ctype.h>

#define PHONE_DIGITS_MIN 7
#define POSTCODE_SIGNS_MIN 3

static bool
is_orderable(const json_t *line)
{
	return json_is_true(json_object_get(line, "orderable"));
}

/* --- the lines, written and read --- */

const char *
checkout_lines(struct req *req, const json_t *cart)
{
	struct buf b = BUF_INIT(CHECKOUT_LINES_MAX);
	const char *text;
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(cart, "lines"), i, line) {
		if (is_orderable(line))
			buf_printf(&b, "%s%lld:%lld:%lld", b.len ? " " : "",
			    (long long)model_int(line, "book_id"),
			    (long long)model_int(line, "quantity"),
			    (long long)model_int(line, "price"));
	}
	text = arena_strndup(req->arena, b.len ? b.data : "", b.len);
	buf_free(&b);
	return text;
}

/* Reads a number and the separator behind it; the last has none. */
static bool
read_number(const char **s, char separator, int64_t *number)
{
	int64_t n = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **s - '0', &n))
			return false;
	}
	*number = n;
	if (**s == '\0')
		return separator == ' ';
	return *(*s)++ == separator;
}

static bool
read_line(const char **s, struct order_line *line)
{
	return read_number(s, ':', &line->book_id) &&
	    read_number(s, ':', &line->quantity) &&
	    read_number(s, ' ', &line->price) && line->book_id > 0 &&
	    line->quantity > 0;
}

size_t
checkout_read(const char *text, struct order_line lines[ORDER_LINES_MAX])
{
	size_t n = 0;

	while (text && *text) {
		if (n == ORDER_LINES_MAX || !read_line(&text, &lines[n++]))
			return 0;
	}
	return n;
}

/* --- what has changed --- */

static json_t *
line_of(const json_t *cart, int64_t book_id)
{
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(cart, "lines"), i, line) {
		if (model_int(line, "book_id") == book_id)
			return line;
	}
	return NULL;
}

const char *
checkout_problem(struct req *req, const json_t *line)
{
	const char *problem = model_text(line, "problem");

	if (!problem)
		return NULL;
	if (strcmp(problem, "gone") == 0)
		return _("It is no longer in our catalogue.");
	if (strcmp(problem, "sold_out") == 0)
		return _("It has sold out.");
	if (strcmp(problem, "short") == 0)
		return arena_printf(req->arena,
		    _("Only %d left: choose fewer in your cart."),
		    (int)model_int(line, "stock_quantity"));
	return NULL;
}

static const char *
change_text(struct req *req, const struct order_line *seen, const json_t *line)
{
	const char *problem = line ? checkout_problem(req, line) :
				     _("It is no longer in your cart.");
	int64_t price = model_int(line, "price");
	int64_t quantity = model_int(line, "quantity");

	if (problem)
		return problem;
	if (price != seen->price)
		return arena_printf(req->arena,
		    _("The price changed from %s to %s."),
		    view_money(req, seen->price), view_money(req, price));
	if (quantity != seen->quantity)
		return arena_printf(req->arena,
		    _("The quantity changed from %d to %d."),
		    (int)seen->quantity, (int)quantity);
	return NULL;
}

static void
add_change(json_t *changes, const json_t *line, const char *text)
{
	const char *title = model_text(line, "title");

	json_array_append_new(changes,
	    json_pack("{s:s, s:s?, s:s}", "title", title ? title : _("A book"),
		"language", model_text(line, "language"), "text", text));
}

static bool
was_seen(const struct order_line *seen, size_t n, int64_t book_id)
{
	for (size_t i = 0; i < n; i++) {
		if (seen[i].book_id == book_id)
			return true;
	}
	return false;
}

json_t *
checkout_changes(struct req *req, const struct order_line *seen, size_t n,
    const json_t *cart)
{
	json_t *changes = json_array(), *line;

	for (size_t i = 0; i < n; i++) {
		const char *text;

		line = line_of(cart, seen[i].book_id);
		text = change_text(req, &seen[i], line);
		if (text)
			add_change(changes, line, text);
	}
	for (size_t i = 0; i < json_array_size(json_object_get(cart, "lines"));
	     i++) {
		line = json_array_get(json_object_get(cart, "lines"), i);
		if (is_orderable(line) &&
		    !was_seen(seen, n, model_int(line, "book_id")))
			add_change(changes, line, _("It is new in your cart."));
	}
	return changes;
}

/* --- where it goes --- */

static bool
is_made_of(const char *text, const char *signs)
{
	for (; *text; text++) {
		bool letter = (*text | 32) >= 'a' && (*text | 32) <= 'z';
		bool digit = *text >= '0' && *text <= '9';

		if (!digit && !strchr(signs, *text) &&
		    !(letter && strchr(signs, 'a')))
			return false;
	}
	return true;
}

/* Letters and digits: hyphens alone are neither a number nor a place. */
static int
count_signs(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += isalnum((unsigned char)*text) != 0;
	return n;
}

static bool
is_strange(struct req *req, const char *field, const char *signs, int least)
{
	const char *text = form_str(req, field);

	return text && !json_object_get(req->errors, field) &&
	    (!is_made_of(text, signs) || count_signs(text) < least);
}

int
checkout_check_address(struct req *req)
{
	int rc = RC_OK;

	if (is_strange(req, "phone", "+-(). ", PHONE_DIGITS_MIN))
		rc = req_field_error(req, "phone",
		    _("Write the phone number with digits, for example"
		      " 010-1234-5678."));
	if (is_strange(req, "postcode", "a- ", POSTCODE_SIGNS_MIN))
		rc = req_field_error(req, "postcode",
		    _("Write the postcode with digits or letters a-z, for"
		      " example 03925."));
	return rc;
}
