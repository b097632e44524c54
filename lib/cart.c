/* cart -- see cart.h. */
#include "cart.h"

#include "book.h"
#include "cache.h"
#include "metric.h"
#include "model.h"
#include "sess.h"

#define ONCE_S "600" /* a form's one-time key is remembered */

static const char *
text_of(struct req *req, int64_t n)
{
	return arena_printf(req->arena, "%lld", (long long)n);
}

static const char *
seen_key(struct req *req, const char *cart_key)
{
	return arena_printf(
	    req->arena, "cart-seen:%s", cart_key + strlen("cart:"));
}

/* A guest's cart ends some time after its last change, a member's never. */
static const char *
life(struct req *req)
{
	return req->sess->user_id ? "0" : text_of(req, CART_GUEST_S);
}

/* KEYS cart, seen[, once]; ARGV book, quantity, seen, line max, lines max,
 * life, once life.  Gives {outcome, quantity of the line}. */
static struct cache_script add_script = { .name = "cart.add",
	.lua = "local line = redis.call('HGET', KEYS[1], ARGV[1])\n"
	       "local have = tonumber(line or '0')\n"
	       "if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then\n"
	       "  return {3, have}\n"
	       "end\n"
	       "if have == 0 and\n"
	       "    redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then\n"
	       "  return {1, have}\n"
	       "end\n"
	       "if have + tonumber(ARGV[2]) > tonumber(ARGV[4]) then\n"
	       "  return {2, have}\n"
	       "end\n"
	       "if KEYS[3] then\n"
	       "  redis.call('SET', KEYS[3], '1', 'EX', ARGV[7])\n"
	       "end\n"
	       "local now = redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])\n"
	       "redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])\n"
	       "if ARGV[6] ~= '0' then\n"
	       "  redis.call('EXPIRE', KEYS[1], ARGV[6])\n"
	       "  redis.call('EXPIRE', KEYS[2], ARGV[6])\n"
	       "end\n"
	       "return {0, now}" };
enum add_outcome { ADDED, TOO_MANY_LINES, TOO_MANY_COPIES, REPEATED };

/* KEYS cart, seen; ARGV book, quantity, seen, life.  Only a line that is there
 * is changed: one removed in another tab does not come back. */
static struct cache_script set_script = { .name = "cart.set",
	.lua = "local line = redis.call('HGET', KEYS[1], ARGV[1])\n"
	       "if not line then return 0 end\n"
	       "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
	       "redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])\n"
	       "if ARGV[4] ~= '0' then\n"
	       "  redis.call('EXPIRE', KEYS[1], ARGV[4])\n"
	       "  redis.call('EXPIRE', KEYS[2], ARGV[4])\n"
	       "end\n"
	       "return 1" };

/* KEYS guest cart, member cart, guest seen, member seen; ARGV line max, lines
 * max. */
static struct cache_script merge_script = { .name = "cart.merge",
	.lua = "local lines = redis.call('HGETALL', KEYS[1])\n"
	       "for i = 1, #lines, 2 do\n"
	       "  local book, more = lines[i], tonumber(lines[i + 1])\n"
	       "  local line = redis.call('HGET', KEYS[2], book)\n"
	       "  local have = tonumber(line or '0')\n"
	       "  if have > 0 or\n"
	       "      redis.call('HLEN', KEYS[2]) < tonumber(ARGV[2]) then\n"
	       "    redis.call('HSET', KEYS[2], book,\n"
	       "        math.min(have + more, tonumber(ARGV[1])))\n"
	       "    local seen = redis.call('HGET', KEYS[3], book)\n"
	       "    if seen then redis.call('HSET', KEYS[4], book, seen) end\n"
	       "  end\n"
	       "end\n"
	       "redis.call('DEL', KEYS[1], KEYS[3])\n"
	       "return #lines / 2" };

/* KEYS cart, seen, ordered; ARGV life, and of each line book and quantity. */
static struct cache_script take_out_script = { .name = "cart.take_out",
	.lua = "if not redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[1])\n"
	       "    then return 0 end\n"
	       "for i = 2, #ARGV, 2 do\n"
	       "  local have = redis.call('HGET', KEYS[1], ARGV[i])\n"
	       "  if have and tonumber(have) > tonumber(ARGV[i + 1]) then\n"
	       "    redis.call('HINCRBY', KEYS[1], ARGV[i], -ARGV[i + 1])\n"
	       "  elseif have then\n"
	       "    redis.call('HDEL', KEYS[1], ARGV[i])\n"
	       "    redis.call('HDEL', KEYS[2], ARGV[i])\n"
	       "  end\n"
	       "end\n"
	       "return 1" };

/* What the reader saw: "<price> <title>". */
static const char *
seen_text(struct req *req, const json_t *book)
{
	return arena_printf(req->arena, "%lld %s",
	    (long long)model_int(book, "price"), model_text(book, "title"));
}

static int
book_for_sale(struct req *req, int64_t id, json_t **book)
{
	json_t *books;
	int rc = book_by_ids(req, &id, 1, &books);

	if (rc < 0)
		return rc;
	*book = json_array_get(books, 0);
	if (!*book)
		return req_fail(req, RC_NOT_FOUND, "%s",
		    _("There is no such book. It may have been taken out of"
		      " the catalogue."));
	return RC_OK;
}

static int
run_script(struct req *req, struct cache_reply **reply)
{
	struct cache_reply **replies;
	int rc = cache_run(req, &replies);

	if (rc < 0)
		return rc;
	if (replies[0]->type == CACHE_ERROR)
		return req_fail(
		    req, RC_BUG, "%s", _("The cart could not be changed."));
	*reply = replies[0];
	return RC_OK;
}

static void
queue_add(
    struct req *req, const json_t *book, int64_t quantity, const char *once)
{
	const char *key = req->sess->cart_key;
	const char *argv[10] = { key, seen_key(req, key) };
	size_t nkeys = once ? 3 : 2;
	const char **arg = argv + nkeys;

	if (once)
		argv[2] = arena_printf(req->arena, "once:%s:%s", key, once);
	*arg++ = text_of(req, model_int(book, "id"));
	*arg++ = text_of(req, quantity);
	*arg++ = seen_text(req, book);
	*arg++ = text_of(req, CART_LINE_MAX);
	*arg++ = text_of(req, CART_LINES_MAX);
	*arg++ = life(req);
	*arg++ = ONCE_S;
	cache_queue_script(req, &add_script, nkeys, argv, (size_t)(arg - argv));
}

int
cart_add(struct req *req, int64_t book_id, int64_t quantity, const char *once,
    int64_t *quantity_now)
{
	struct cache_reply *reply;
	json_t *book;
	int rc = book_for_sale(req, book_id, &book);

	if (rc < 0)
		return rc;
	if (model_int(book, "stock_quantity") == 0)
		return req_fail(req, RC_CONFLICT, "%s",
		    _("This book is sold out, so it was not added."));
	queue_add(req, book, quantity, once);
	rc = run_script(req, &reply);
	if (rc < 0)
		return rc;
	if (reply->list[0]->i == TOO_MANY_LINES)
		return req_fail(req, RC_CONFLICT,
		    _("The cart is full: it holds %d different books. Remove"
		      " one, then add this one again."),
		    CART_LINES_MAX);
	if (reply->list[0]->i == TOO_MANY_COPIES)
		return req_fail(req, RC_CONFLICT,
		    _("The cart holds at most %d copies of a book; yours has"
		      " %d already."),
		    CART_LINE_MAX, (int)reply->list[1]->i);
	*quantity_now = reply->list[1]->i;
	metric_add(METRIC_CART_ADDS, reply->list[0]->i == ADDED);
	return RC_OK;
}

int
cart_set(struct req *req, int64_t book_id, int64_t quantity)
{
	const char *key = req->sess->cart_key;
	struct cache_reply *reply;
	bool removed;
	json_t *book;
	int rc;

	if (quantity == 0)
		return cart_remove(req, book_id, &removed);
	rc = book_for_sale(req, book_id, &book);
	if (rc < 0)
		return rc;
	const char *argv[] = { key, seen_key(req, key), text_of(req, book_id),
		text_of(req, quantity), seen_text(req, book), life(req) };

	cache_queue_script(req, &set_script, 2, argv, LENGTH(argv));
	rc = run_script(req, &reply);
	if (rc < 0)
		return rc;
	if (reply->i == 0)
		return req_fail(req, RC_NOT_FOUND, "%s",
		    _("This book is no longer in the cart."));
	return RC_OK;
}

int
cart_remove(struct req *req, int64_t book_id, bool *removed)
{
	const char *key = req->sess->cart_key;
	const char *id = text_of(req, book_id);
	struct cache_reply **replies;
	int rc;

	cache_queue(req, "HDEL", key, id, NULL);
	cache_queue(req, "HDEL", seen_key(req, key), id, NULL);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	*removed = replies[0]->i > 0;
	return RC_OK;
}

int
cart_clear(struct req *req)
{
	const char *key = req->sess->cart_key;
	struct cache_reply *reply;

	return cache_command(req, &reply, "DEL", key, seen_key(req, key), NULL);
}

/* --- ordering --- */

int
cart_take_out(struct req *req, const char *number,
    const struct stock_demand *ordered, size_t n)
{
	const char *cart = req->sess->cart_key;
	const char **argv =
	    arena_alloc(req->arena, (4 + 2 * n) * sizeof(*argv));
	const char **arg = argv;
	struct cache_reply *reply;

	*arg++ = cart;
	*arg++ = seen_key(req, cart);
	*arg++ = arena_printf(req->arena, "ordered:%s", number);
	*arg++ = text_of(req, CART_ORDERED_S);
	for (size_t i = 0; i < n; i++) {
		*arg++ = text_of(req, ordered[i].book_id);
		*arg++ = text_of(req, ordered[i].copies);
	}
	cache_queue_script(
	    req, &take_out_script, 3, argv, (size_t)(arg - argv));
	return run_script(req, &reply);
}

static void
queue_read(struct req *req, const char *key)
{
	cache_queue(req, "HGETALL", key, NULL);
	cache_queue(req, "HGETALL", seen_key(req, key), NULL);
}

void
cart_queue(struct req *req)
{
	if (req->sess->queued_cart)
		queue_read(req, req->sess->queued_cart);
}

void
cart_queue_merge(struct req *req, const char *guest, const char *member)
{
	const char *argv[] = { guest, member, seen_key(req, guest),
		seen_key(req, member), text_of(req, CART_LINE_MAX),
		text_of(req, CART_LINES_MAX) };

	cache_queue_script(req, &merge_script, 4, argv, LENGTH(argv));
}

/* The replies to queue_read(): those of the prefetch if they are of the right
 * cart, else by one more trip. */
static int
read_cart(struct req *req, struct cache_reply ***replies)
{
	const struct sess *s = req->sess;
	struct cache_reply **got = req->prefetched;
	int rc = RC_OK;

	if (!got || !s->queued_cart ||
	    strcmp(s->queued_cart, s->cart_key) != 0) {
		queue_read(req, s->cart_key);
		rc = cache_run(req, &got);
	}
	if (rc < 0)
		return rc;
	/* Redis may have refused, which the log tells. */
	if (got[0]->type != CACHE_LIST) {
		req_bug(req);
		return RC_BUG;
	}
	*replies = got;
	return RC_OK;
}

static json_t *
find_book(json_t *books, int64_t id)
{
	json_t *book;
	size_t i;

	json_array_foreach(books, i, book) {
		if (model_int(book, "id") == id)
			return book;
	}
	return NULL;
}

static json_t *
gone_line(int64_t id, int64_t quantity, const char *seen)
{
	const char *title = seen ? strchr(seen, ' ') : NULL;

	return json_pack("{s:I, s:I, s:s?, s:n, s:I, s:I, s:I, s:n, s:b, s:s}",
	    "book_id", (json_int_t)id, "quantity", (json_int_t)quantity,
	    "title", title ? title + 1 : NULL, "author", "price", (json_int_t)0,
	    "line_total", (json_int_t)0, "stock_quantity", (json_int_t)0,
	    "price_seen", "orderable", 0, "problem", "gone");
}

static const char *
problem_of(int64_t stock, int64_t quantity, int64_t price, int64_t price_seen)
{
	if (stock == 0)
		return "sold_out";
	if (stock < quantity)
		return "short";
	return price != price_seen ? "price" : NULL;
}

static json_t *
line_of(json_t *book, int64_t quantity, const char *seen)
{
	int64_t price = model_int(book, "price");
	int64_t price_seen = seen ? strtoll(seen, NULL, 10) : price;
	int64_t stock = model_int(book, "stock_quantity");
	bool orderable = stock >= quantity;
	const char *problem;

	json_object_set_new(
	    book, "book_id", json_integer(model_int(book, "id")));
	json_object_del(book, "id");
	json_object_set_new(book, "quantity", json_integer(quantity));
	json_object_set_new(
	    book, "line_total", json_integer(orderable ? price * quantity : 0));
	json_object_set_new(book, "price_seen", json_integer(price_seen));
	json_object_set_new(book, "orderable", json_boolean(orderable));
	problem = problem_of(stock, quantity, price, price_seen);
	json_object_set_new(
	    book, "problem", problem ? json_string(problem) : json_null());
	return book;
}

static json_t *
make_cart(const struct cache_reply *cart, const struct cache_reply *seen,
    json_t *books)
{
	json_t *lines = json_array(), *line;
	int64_t total = 0, copies = 0;

	for (size_t i = 0; i + 1 < cart->len; i += 2) {
		const char *id_text = cart->list[i]->s;
		int64_t id = strtoll(id_text, NULL, 10);
		int64_t quantity = strtoll(cart->list[i + 1]->s, NULL, 10);
		const char *was = cache_field(seen, id_text);
		json_t *book = find_book(books, id);

		line = book ? line_of(book, quantity, was) :
			      gone_line(id, quantity, was);
		total += model_int(line, "line_total");
		copies += quantity;
		json_array_append(lines, line);
	}
	return json_pack("{s:o, s:I, s:I, s:I}", "lines", lines, "count",
	    (json_int_t)(cart->len / 2), "quantity", (json_int_t)copies,
	    "total", (json_int_t)total);
}

static int
by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int
cart_load(struct req *req, json_t **cart)
{
	int64_t ids[CART_LINES_MAX];
	struct cache_reply **replies = NULL;
	json_t *books = NULL;
	size_t n;
	int rc = read_cart(req, &replies);

	if (rc < 0)
		return rc;
	n = replies[0]->len / 2;
	if (n > CART_LINES_MAX)
		n = CART_LINES_MAX;
	for (size_t i = 0; i < n; i++)
		ids[i] = strtoll(replies[0]->list[2 * i]->s, NULL, 10);
	qsort(ids, n, sizeof(*ids), by_number);
	if (n && (rc = book_by_ids(req, ids, n, &books)) < 0)
		return rc;
	*cart = make_cart(replies[0], replies[1], books);
	return RC_OK;
}
