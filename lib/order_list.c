/* order_list -- lists of orders, latest first: by keyset, each with an index
 * of its own. */
#include "order_internal.h"

#include "buf.h"
#include "db.h"
#include "model.h"
#include "user.h"

#define ARGS_MAX 8
#define SHOWN \
	"SELECT o.id, o.number, o.user_id, u.username, o.state, o.total," \
	" o.recipient, o.phone, o.postcode, o.address, o.created_at," \
	" o.updated_at, o.expires_at," \
	" (SELECT i.title FROM order_items i WHERE i.order_id = o.id" \
	" ORDER BY i.book_id LIMIT 1) AS title," \
	" (SELECT COUNT(*) FROM order_items i WHERE i.order_id = o.id)" \
	" AS line_count FROM orders o"

/* A statement while it is put together. */
struct builder {
	struct buf name, sql;
	struct db_arg args[ARGS_MAX];
	size_t nargs;
};

static void
add(struct builder *b, const char *name, const char *sql, struct db_arg arg)
{
	buf_str(&b->name, name);
	buf_str(&b->sql, sql);
	b->args[b->nargs++] = arg;
}

/* Which index the rows come from, in the order of their ids. */
static const char *
index_of(const struct order_query *q, const char *number)
{
	if (number)
		return "by_number";
	if (q->user_id || q->search)
		return "by_user";
	return q->state ? "by_state" : "PRIMARY";
}

static void
build(struct req *req, struct builder *b, const struct order_query *q)
{
	const char *number = q->search ? order_number(req, q->search) : NULL;

	buf_str(&b->name, "order.list");
	buf_printf(&b->sql,
	    SHOWN " FORCE INDEX (%s) JOIN users u ON u.id = o.user_id"
		  " WHERE TRUE",
	    index_of(q, number));
	if (number)
		add(b, ".number", " AND o.number = ?", db_text(number));
	else if (q->search)
		add(b, ".username",
		    " AND o.user_id = (SELECT id FROM users"
		    " WHERE username = ?)",
		    db_text(user_name_is_valid(q->search) ? q->search : ""));
	if (q->user_id)
		add(b, ".user", " AND o.user_id = ?", db_int(q->user_id));
	if (q->state)
		add(b, ".state", " AND o.state = ?", db_text(q->state));
	if (q->after)
		add(b, ".after", " AND o.id < ?", db_int(q->after));
	buf_str(&b->sql, " ORDER BY o.id DESC LIMIT ?");
	b->args[b->nargs++] = db_int(q->limit + 1);
}

static void
free_builder(void *arg)
{
	struct builder *b = arg;

	buf_free(&b->name);
	buf_free(&b->sql);
}

/* rows has one more than wanted if there are more. */
static json_t *
make_page(const struct order_query *q, json_t *rows)
{
	json_t *next = json_null();
	size_t limit = (size_t)q->limit;

	if (json_array_size(rows) > limit) {
		json_array_remove(rows, limit);
		next =
		    json_integer(order_id_of(json_array_get(rows, limit - 1)));
	}
	return json_pack("{s:o, s:o}", "orders", rows, "next", next);
}

int
order_list(struct req *req, const struct order_query *q, json_t **page)
{
	struct builder *b = arena_alloc(req->arena, sizeof(*b));
	json_t *rows;
	int rc;

	*b = (struct builder){ .name = BUF_INIT(80), .sql = BUF_INIT(4096) };
	arena_defer(req->arena, free_builder, b);
	build(req, b, q);
	rc = db_rows(req, &(struct db_stmt){ b->name.data, b->sql.data },
	    b->args, b->nargs, &rows);
	if (rc == RC_OK)
		*page = make_page(q, rows);
	return rc;
}
