/* book_edit -- adding, editing and withdrawing books; see book_edit.h. */
#include "book_edit.h"

#include "audit.h"
#include "book.h"
#include "category.h"
#include "db.h"
#include "isbn.h"
#include "model.h"
#include "once.h"
#include "popular.h"
#include "search.h"
#include "utf8.h"

#define FACTS 10

#define EDIT_COLUMNS \
	"id, title, author, publisher, published_year, isbn13, language," \
	" description, price, stock_quantity, category_id, image_url," \
	" CONCAT('/covers/', cover, '.jpg') AS cover_url," \
	" created_at, updated_at, version, withdrawn_at," \
	" withdrawn_at IS NOT NULL AS `withdrawn?`"

static const struct db_stmt BOOK_TO_EDIT = { "book.to_edit",
	"SELECT " EDIT_COLUMNS " FROM books WHERE id = ?" };
static const struct db_stmt BOOK_LOCK = { "book.lock",
	"SELECT " EDIT_COLUMNS " FROM books WHERE id = ? FOR UPDATE" };
static const struct db_stmt BOOK_CATEGORY = { "book.category",
	"SELECT id FROM categories WHERE id = ? FOR UPDATE" };
static const struct db_stmt BOOK_ADD = { "book.add",
	"INSERT INTO books (title, author, publisher, published_year, isbn13,"
	" language, description, price, category_id, image_url)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" };
static const struct db_stmt BOOK_EDIT = { "book.edit",
	"UPDATE books SET title = ?, author = ?, publisher = ?,"
	" published_year = ?, isbn13 = ?, language = ?, description = ?,"
	" price = ?, category_id = ?, image_url = ?,"
	" version = version + 1, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND version = ?" };
static const struct db_stmt BOOK_WITHDRAW = { "book.withdraw",
	"UPDATE books SET withdrawn_at = UTC_TIMESTAMP(),"
	" version = version + 1, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND version = ?" };
static const struct db_stmt BOOK_BRING_BACK = { "book.bring_back",
	"UPDATE books SET withdrawn_at = NULL,"
	" version = version + 1, updated_at = UTC_TIMESTAMP()"
	" WHERE id = ? AND version = ?" };
static const struct db_stmt BOOK_OF_ISBN = { "book.of_isbn",
	"SELECT id, title, withdrawn_at IS NOT NULL AS `withdrawn?`"
	" FROM books WHERE isbn13 = ?" };

/* The facts, as columns, arguments and in the audit log. */
const char *const book_fact_names[] = { "title", "author", "publisher",
	"published_year", "isbn13", "language", "description", "price",
	"category_id", "image_url", NULL };

/* --- what may be said of a book --- */

/* The work of one change: it may be run again from its start. */
struct change {
	struct book_facts facts;
	char isbn13[ISBN_SIZE];
	int64_t id, version, stock, seen; /* the stock that was seen, or -1 */
	bool withdrawn;
	bool strict; /* another version is a conflict, whatever is wanted */
	const char *once;
	json_t *book; /* as it is afterwards, or now */
};

static bool
is_given(const char *text)
{
	return text && *text;
}

/* Forms have been checked before; imports and the API come here, too. */
static void
check_text(struct req *req, const char *field, const char *label,
    const char *text, int max)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0)
		return;
	if (!utf8_valid(text, len) || !utf8_one_line(text, len))
		req_field_error(req, field,
		    arena_printf(req->arena,
			_("%s must be on one line and without invisible"
			  " characters."),
			label));
	else if (utf8_count(text, len) > (size_t)max)
		req_field_error(req, field,
		    arena_printf(req->arena,
			_("%s must be at most %lld characters."), label,
			(long long)max));
}

static void
need_text(struct req *req, const char *field, const char *label,
    const char *text, int max)
{
	if (!is_given(text))
		req_field_error(req, field,
		    arena_printf(req->arena, _("%s is missing."), label));
	check_text(req, field, label, text, max);
}

static void
check_description(struct req *req, const char *text)
{
	if (!text ||
	    (utf8_valid(text, strlen(text)) &&
		utf8_count(text, strlen(text)) <= BOOK_DESCRIPTION_MAX))
		return;
	req_field_error(req, "description",
	    arena_printf(req->arena, _("%s must be at most %lld characters."),
		_("Description"), (long long)BOOK_DESCRIPTION_MAX));
}

static void
check_isbn(struct req *req, struct change *c)
{
	c->isbn13[0] = '\0';
	if (is_given(c->facts.isbn) &&
	    !isbn_read(c->facts.isbn, strlen(c->facts.isbn), c->isbn13))
		req_field_error(req, "isbn13",
		    _("This is no ISBN: one has 13 or 10 digits, and the last"
		      " proves the others. Check it against the book."));
}

static void
check_numbers(struct req *req, const struct book_facts *f)
{
	if (f->price < 0 || f->price > BOOK_PRICE_MAX)
		req_field_error(req, "price",
		    _("The price must be between 0 and 99,999,999.99."));
	if (f->has_year &&
	    (f->published_year < BOOK_YEAR_MIN ||
		f->published_year > BOOK_YEAR_MAX || f->published_year == 0))
		req_field_error(req, "published_year",
		    arena_printf(req->arena,
			_("The year must be between %d and %d. There was no"
			  " year 0."),
			BOOK_YEAR_MIN, BOOK_YEAR_MAX));
}

/* Any code of two letters: an imported book may be in any language. */
static void
check_language(struct req *req, const char *language)
{
	if (!language || strlen(language) != 2 || language[0] < 'a' ||
	    language[0] > 'z' || language[1] < 'a' || language[1] > 'z')
		req_field_error(
		    req, "language", _("Choose one of the languages."));
}

/* Pages load pictures from this site only. */
static void
check_image_url(struct req *req, const char *url)
{
	if (!is_given(url))
		return;
	check_text(req, "image_url", _("Picture"), url, BOOK_IMAGE_URL_MAX);
	if (url[0] != '/' || url[1] == '/' || strpbrk(url, "\\\" <>"))
		req_field_error(req, "image_url",
		    _("The picture must be on this site: its address begins"
		      " with one slash."));
}

static int
no_category(struct req *req)
{
	return req_field_error(req, "category_id",
	    _("There is no such category. Choose another one."));
}

static int
check_facts(struct req *req, struct change *c)
{
	const struct book_facts *f = &c->facts;

	need_text(req, "title", _("Title"), f->title, BOOK_TEXT_MAX);
	need_text(req, "author", _("Author"), f->author, BOOK_TEXT_MAX);
	check_text(
	    req, "publisher", _("Publisher"), f->publisher, BOOK_TEXT_MAX);
	check_description(req, f->description);
	check_isbn(req, c);
	check_language(req, f->language);
	check_numbers(req, f);
	check_image_url(req, f->image_url);
	if (f->category_id <= 0)
		no_category(req);
	return req->errors ? RC_BAD_INPUT : RC_OK;
}

/* The category's row is locked, as counting its books will do: it cannot be
 * deleted before this is done. */
static int
check_category(struct req *req, int64_t id)
{
	json_t *row;
	int rc = db_row(req, &BOOK_CATEGORY, DB_ARGS(db_int(id)), &row);

	if (rc == RC_NOT_FOUND)
		return no_category(req);
	return rc;
}

/* --- arguments and comparisons --- */

static const char *
text_or_null(const char *text)
{
	return is_given(text) ? text : NULL;
}

json_t *
book_of_facts(const struct book_facts *f)
{
	char isbn13[ISBN_SIZE] = "";
	json_t *book = json_object();

	if (is_given(f->isbn))
		isbn_read(f->isbn, strlen(f->isbn), isbn13);

	model_set_text(book, "title", f->title);
	model_set_text(book, "author", f->author);
	model_set_text(book, "publisher", text_or_null(f->publisher));
	model_set(book, "published_year",
	    f->has_year ? json_integer(f->published_year) : json_null());
	model_set_text(book, "isbn13", text_or_null(isbn13));
	model_set_text(book, "language", f->language);
	model_set_text(book, "description", text_or_null(f->description));
	model_set_int(book, "price", f->price);
	model_set_int(book, "category_id", f->category_id);
	model_set_text(book, "image_url", text_or_null(f->image_url));
	return book;
}

struct book_facts
book_facts_of(const json_t *book)
{
	const json_t *year = json_object_get(book, "published_year");

	return (struct book_facts){ .title = model_text(book, "title"),
		.author = model_text(book, "author"),
		.publisher = model_text(book, "publisher"),
		.description = model_text(book, "description"),
		.image_url = model_text(book, "image_url"),
		.isbn = model_text(book, "isbn13"),
		.language = model_text(book, "language"),
		.category_id = model_int(book, "category_id"),
		.price = model_int(book, "price"),
		.has_year = json_is_integer(year),
		.published_year = json_integer_value(year) };
}

static const char *
price_text(struct req *req, int64_t price)
{
	return arena_printf(req->arena, "%lld.%02lld", (long long)price / 100,
	    (long long)price % 100);
}

/* In the order of BOOK_ADD and BOOK_EDIT; returns how many. */
static size_t
fact_args(struct req *req, const struct change *c, struct db_arg *args)
{
	const struct book_facts *f = &c->facts;
	size_t n = 0;

	args[n++] = db_text(f->title);
	args[n++] = db_text(f->author);
	args[n++] = db_text(text_or_null(f->publisher));
	args[n++] = f->has_year ? db_int(f->published_year) : db_null();
	args[n++] = db_text(text_or_null(c->isbn13));
	args[n++] = db_text(f->language);
	args[n++] = db_text(text_or_null(f->description));
	args[n++] = db_text(price_text(req, f->price));
	args[n++] = db_int(f->category_id);
	args[n++] = db_text(text_or_null(f->image_url));
	return n;
}

static int
no_such_book(struct req *req)
{
	return req_fail(req, RC_NOT_FOUND, "%s",
	    _("There is no such book. It may have been taken out of the"
	      " catalogue."));
}

int
book_to_edit(struct req *req, int64_t id, json_t **book)
{
	int rc = db_row(req, &BOOK_TO_EDIT, DB_ARGS(db_int(id)), book);

	return rc == RC_NOT_FOUND ? no_such_book(req) : rc;
}

static int
lock_book(struct req *req, int64_t id, json_t **book)
{
	int rc = db_row(req, &BOOK_LOCK, DB_ARGS(db_int(id)), book);

	return rc == RC_NOT_FOUND ? no_such_book(req) : rc;
}

static int
audit_book(
    struct req *req, const char *act, const json_t *book, const json_t *changes)
{
	const struct audit_object object = { "book", model_int(book, "id"),
		model_text(book, "title") };

	return audit_add(req, act, &object, changes);
}

/* The key is by_isbn13: the other one, source_id, is of imports. */
static int
refuse_isbn(struct req *req, const struct change *c)
{
	json_t *other;
	bool withdrawn;
	int rc =
	    db_row(req, &BOOK_OF_ISBN, DB_ARGS(db_text(c->isbn13)), &other);

	if (rc < 0)
		return rc == RC_NOT_FOUND ? RC_CONFLICT : rc;
	withdrawn = json_is_true(json_object_get(other, "withdrawn"));
	req_field_error(req, "isbn13",
	    arena_printf(req->arena,
		withdrawn ? _("“%s” has this ISBN already (number %lld). It"
			      " is withdrawn; you can bring it back.") :
			    _("“%s” has this ISBN already (number %lld)."),
		model_text(other, "title"), (long long)model_int(other, "id")));
	return RC_CONFLICT;
}

/* --- adding --- */

static int
insert(struct req *req, struct change *c)
{
	struct db_arg args[FACTS];
	size_t n = fact_args(req, c, args);
	int rc = db_exec(req, &BOOK_ADD, args, n, NULL, &c->id);

	return rc == RC_CONFLICT ? refuse_isbn(req, c) : rc;
}

static int
set_first_stock(struct req *req, const struct change *c)
{
	int64_t now;

	if (c->stock == 0)
		return RC_OK;
	return stock_change(req, c->id, STOCK_SET, c->stock, NULL, &now);
}

static json_t *
asked_for(const struct change *c)
{
	json_t *what = book_of_facts(&c->facts);

	model_set_int(what, "stock_quantity", c->stock);
	return what;
}

static int
add_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int64_t done;
	int rc;

	req->errors = NULL;
	if ((rc = once_claim(req, c->once, asked_for(c), &done)) < 0)
		return rc;
	if (done)
		return book_to_edit(req, done, &c->book);
	if ((rc = check_category(req, c->facts.category_id)) < 0 ||
	    (rc = insert(req, c)) < 0 || (rc = set_first_stock(req, c)) < 0 ||
	    (rc = search_index(req, &c->id, 1)) < 0 ||
	    (rc = book_to_edit(req, c->id, &c->book)) < 0 ||
	    (rc = audit_book(req, "book.add", c->book,
		 audit_changes(NULL, c->book, book_fact_names))) < 0)
		return rc;
	return once_keep(req, c->once, c->id);
}

int
book_add(struct req *req, const struct book_facts *facts, int64_t stock,
    const char *once, json_t **book)
{
	struct change c = { .facts = *facts, .stock = stock, .once = once };
	int rc;

	if ((rc = check_facts(req, &c)) < 0 ||
	    (rc = db_tx(req, add_work, &c)) < 0)
		return rc;
	category_forget(req);
	*book = c.book;
	return RC_OK;
}

/* --- editing --- */

/* What is current, locked; RC_CONFLICT when it is another version. */
static int
take_version(struct req *req, struct change *c)
{
	int rc = lock_book(req, c->id, &c->book);

	if (rc < 0)
		return rc;
	if (c->version && c->version != model_int(c->book, "version"))
		return RC_CONFLICT;
	return RC_OK;
}

static int
update(struct req *req, const struct change *c, const struct db_stmt *st,
    bool with_facts)
{
	struct db_arg args[FACTS + 2];
	size_t n = with_facts ? fact_args(req, c, args) : 0;

	args[n++] = db_int(c->id);
	args[n++] = db_int(model_int(c->book, "version"));
	return db_exec(req, st, args, n, NULL, NULL);
}

/* Afterwards: makes it be found so, reads it again and records what changed;
 * the version tells audit_since() from when. */
static int
record(struct req *req, struct change *c, const char *act)
{
	static const char *const names[] = { "title", "author", "publisher",
		"published_year", "isbn13", "language", "description", "price",
		"category_id", "image_url", "withdrawn", "version", NULL };
	json_t *before = c->book;
	int rc;

	if ((rc = search_index(req, &c->id, 1)) < 0 ||
	    (rc = book_to_edit(req, c->id, &c->book)) < 0)
		return rc;
	return audit_book(
	    req, act, c->book, audit_changes(before, c->book, names));
}

static int
save(struct req *req, struct change *c)
{
	int rc = check_category(req, c->facts.category_id);

	if (rc < 0)
		return rc;
	rc = update(req, c, &BOOK_EDIT, true);
	return rc == RC_CONFLICT ? refuse_isbn(req, c) : rc;
}

static int
audit_stock(struct req *req, const json_t *book, int64_t now, const char *note)
{
	json_t *changes = json_pack("{s:[O, I]}", "stock_quantity",
	    json_object_get(book, "stock_quantity"), (json_int_t)now);

	if (note)
		json_object_set_new(changes, "note", json_pack("[n, s]", note));
	return audit_book(req, "book.stock", book, changes);
}

/* Where another number is asked for. */
static int
set_stock(struct req *req, struct change *c)
{
	int64_t was = model_int(c->book, "stock_quantity"), now;
	int rc;

	if (c->stock < 0 || c->stock == was)
		return RC_OK;
	/* A copy was sold since, and would be there again. */
	if (c->seen >= 0 && c->seen != was)
		return RC_CONFLICT;
	rc = stock_change(req, c->id, STOCK_SET, c->stock, NULL, &now);
	return rc < 0 ? rc : audit_stock(req, c->book, now, NULL);
}

static bool
differs(const struct change *c)
{
	return json_object_size(audit_changes(
		   c->book, book_of_facts(&c->facts), book_fact_names)) > 0;
}

static int
edit_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int rc;

	req->errors = NULL;
	rc = take_version(req, c);
	/* The same form once more: what it asks for is there already. */
	if (rc == RC_CONFLICT && !c->strict && !differs(c))
		return RC_OK;
	if (rc < 0 || (rc = set_stock(req, c)) < 0)
		return rc;
	if (!differs(c))
		return book_to_edit(req, c->id, &c->book);
	if ((rc = save(req, c)) < 0)
		return rc;
	return record(req, c, "book.edit");
}

/* After COMMIT: what readers are shown. */
static void
forget(struct req *req, int64_t id)
{
	book_forget(req, id);
	category_forget(req);
	popular_forget(req);
}

static int
edit(struct req *req, struct change *c, json_t **book)
{
	int rc;

	if ((rc = check_facts(req, c)) < 0)
		return rc;
	rc = db_tx(req, edit_work, c);
	if (rc == RC_OK)
		forget(req, c->id);
	if (rc == RC_OK || (rc == RC_CONFLICT && !req->errors))
		*book = c->book;
	return rc;
}

int
book_edit(struct req *req, int64_t id, int64_t version,
    const struct book_facts *facts, json_t **book)
{
	struct change c = {
		.facts = *facts, .id = id, .version = version, .stock = -1
	};

	return edit(req, &c, book);
}

int
book_replace(struct req *req, int64_t id, int64_t version,
    const struct book_facts *facts, int64_t stock, int64_t seen, json_t **book)
{
	struct change c = { .facts = *facts,
		.id = id,
		.version = version,
		.stock = stock,
		.seen = seen,
		.strict = true };

	return edit(req, &c, book);
}

static int
withdraw_work(struct req *req, void *arg)
{
	struct change *c = arg;
	int rc = take_version(req, c);

	if ((rc == RC_OK || rc == RC_CONFLICT) &&
	    json_is_true(json_object_get(c->book, "withdrawn")) == c->withdrawn)
		return RC_OK;
	if (rc < 0 ||
	    (rc = update(req, c,
		 c->withdrawn ? &BOOK_WITHDRAW : &BOOK_BRING_BACK, false)) < 0)
		return rc;
	return record(
	    req, c, c->withdrawn ? "book.withdraw" : "book.bring_back");
}

int
book_withdraw(
    struct req *req, int64_t id, int64_t version, bool withdrawn, json_t **book)
{
	struct change c = {
		.id = id, .version = version, .withdrawn = withdrawn
	};
	int rc = db_tx(req, withdraw_work, &c);

	if (rc == RC_OK)
		forget(req, id);
	if (rc == RC_OK || rc == RC_CONFLICT)
		*book = c.book;
	return rc;
}

/* --- stock --- */

struct stock_work {
	int64_t id;
	const struct book_stock *stock;
};

/* Orders go on while somebody counts. */
static int
check_seen(struct req *req, const struct book_stock *s, const json_t *book)
{
	int64_t now = model_int(book, "stock_quantity");

	if (s->change != STOCK_SET || s->seen < 0 || s->seen == now ||
	    s->copies == now)
		return RC_OK;
	return req_fail(req, RC_CONFLICT,
	    _("There were %lld copies when you opened this page, and now there"
	      " are %lld, so nothing was changed. See below why, and send the"
	      " right number."),
	    (long long)s->seen, (long long)now);
}

static json_t *
stock_asked_for(const struct stock_work *w)
{
	return json_pack("{s:I, s:i, s:I, s:s?}", "book_id", (json_int_t)w->id,
	    "change", (int)w->stock->change, "copies",
	    (json_int_t)w->stock->copies, "note", w->stock->note);
}

static int
stock_work(struct req *req, void *arg)
{
	const struct stock_work *w = arg;
	const struct book_stock *s = w->stock;
	int64_t done, now;
	json_t *book;
	int rc;

	rc = once_claim(req, s->once, stock_asked_for(w), &done);
	if (rc < 0 || done)
		return rc;
	if ((rc = lock_book(req, w->id, &book)) < 0 ||
	    (rc = check_seen(req, s, book)) < 0 ||
	    (rc = stock_change(
		 req, w->id, s->change, s->copies, s->note, &now)) < 0 ||
	    (rc = once_keep(req, s->once, w->id)) < 0 ||
	    now == model_int(book, "stock_quantity"))
		return rc;
	return audit_stock(req, book, now, s->note);
}

int
book_stock(struct req *req, int64_t id, const struct book_stock *stock)
{
	struct stock_work w = { .id = id, .stock = stock };
	int rc = db_tx(req, stock_work, &w);

	if (rc == RC_OK)
		book_forget(req, id);
	return rc;
}
