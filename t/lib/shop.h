/*
 * shop -- what the tests of orders share: a private database and Redis with
 * four books and three members, and a request by one of them.
 * SEOGA_TEST_DB_SOCKET and SEOGA_TEST_REDIS_SOCKET name their sockets.
 */
#ifndef SEOGA_TEST_SHOP_H
#define SEOGA_TEST_SHOP_H

#include "../../lib/form.h"
#include "backend.h"
#include "cache.h"
#include "db.h"
#include "model.h"
#include "order.h"
#include "secret.h"
#include "sess.h"

#define CARD "4242 4242 4242 4242"
#define STMT(id, text) static const struct db_stmt id = { #id, text }

STMT(STOCK, "SELECT stock_quantity AS n FROM books WHERE id = ?");
STMT(SET_STOCK, "UPDATE books SET stock_quantity = ? WHERE id = ?");
STMT(SET_PRICE, "UPDATE books SET price = ? WHERE id = ?");
STMT(WITHDRAW, "UPDATE books SET withdrawn_at = ? WHERE id = ?");
STMT(MAKE_OLD,
    "UPDATE orders SET expires_at = UTC_TIMESTAMP()"
    " WHERE id = ?");
STMT(PAYMENTS,
    "SELECT COUNT(*) AS n FROM payments WHERE order_id = ?"
    " AND result = ?");

static struct conf conf;
static struct req req;
static struct sess sess;
static char database[32];
static int keys;

static inline char *
as_root(const char *text)
{
	char *place = g_shell_quote(g_getenv("SEOGA_TEST_DB_SOCKET"));
	char *command = g_strdup_printf("mariadb --no-defaults -uroot"
					" --socket=%s -e '%s'",
	    place, text);

	g_free(place);
	return command;
}

static inline void
run_root(const char *text)
{
	char *command = as_root(text);

	if (system(command) != 0)
		g_error("this failed: %s", command);
	g_free(command);
}

/* As seoga migrate does it: a statement ends where a line ends with it. */
static inline void
load_file(const char *file)
{
	char *place = g_shell_quote(g_getenv("SEOGA_TEST_DB_SOCKET"));
	char *command =
	    g_strdup_printf("{ echo DELIMITER //; sed 's,;$,//,' '%s'; } |"
			    " mariadb --no-defaults -uroot --socket=%s %s",
		file, place, database);

	if (system(command) != 0)
		g_error("this failed: %s", command);
	g_free(command);
	g_free(place);
}

static inline void
load_tables(void)
{
	char *dir = g_build_filename(g_getenv("SEOGA_SRCDIR"), "sql", NULL);
	GDir *all = g_dir_open(dir, 0, NULL);
	GList *names = NULL;
	const char *name;

	g_assert_nonnull(all);
	while ((name = g_dir_read_name(all))) {
		if (g_regex_match_simple("^\\d{3}-.*\\.sql$", name, 0, 0))
			names = g_list_insert_sorted(
			    names, g_strdup(name), (GCompareFunc)g_strcmp0);
	}
	for (GList *l = names; l; l = l->next) {
		char *file = g_build_filename(dir, l->data, NULL);

		load_file(file);
		g_free(file);
	}
	g_list_free_full(names, g_free);
	g_dir_close(all);
	g_free(dir);
}

static inline void
set_up(void)
{
	char *text;

	snprintf(database, sizeof(database), "seoga_o%d", (int)getpid());
	text = g_strdup_printf("CREATE DATABASE %s", database);
	run_root(text);
	g_free(text);
	load_tables();
	conf = test_conf(g_getenv("SEOGA_TEST_DB_SOCKET"));
	conf.redis_hosts = g_getenv("SEOGA_TEST_REDIS_SOCKET");
	conf.db_name = database;
	conf.secret = "0123456789abcdef0123456789abcdef";
	conf.form_limit = 65536;
	conf.order_expiry_s = 900;
	conf.command_ms = 4000;
	g_assert_cmpint(secret_init(), ==, RC_OK);
	test_req_open(&req, &conf);
	req.db = db_open(&conf);
	req.cache = cache_open(&conf);
	req.trace = "0123456789abcdef0123456789abcdef";
	req.span = "0123456789abcdef";
	req.query = "";
	req.sess = &sess;
}

static inline void
tear_down(void)
{
	char *text = g_strdup_printf("DROP DATABASE %s", database);

	/* What a request put off needs its links. */
	test_req_close(&req);
	db_close(req.db);
	cache_close(req.cache);
	run_root(text);
	g_free(text);
}

static inline void
fill(void)
{
	static const struct db_stmt texts[] = {
		{ "cat",
		    "INSERT INTO categories (id, slug, name_ko, name_en)"
		    " VALUES (1, 'a', 'a', 'a')" },
		{ "books",
		    "INSERT INTO books (id, category_id, title, author,"
		    " price, stock_quantity) VALUES"
		    " (1, 1, 'One', 'A', 100.00, 10),"
		    " (2, 1, 'Two', 'B', 20.50, 10),"
		    " (3, 1, 'Three', 'C', 0.01, 10),"
		    " (4, 1, 'Four', 'D', 99999999.99, 1000)" },
		{ "users",
		    "INSERT INTO users (id, username, name, password_hash)"
		    " VALUES (1, 'kim', 'Kim', ''), (2, 'lee', 'Lee', ''),"
		    " (3, 'root', 'Root', '')" },
	};

	for (size_t i = 0; i < LENGTH(texts); i++)
		g_assert_cmpint(
		    db_exec(&req, &texts[i], DB_NO_ARGS, NULL, NULL), ==,
		    RC_OK);
}

static inline void
as(int64_t user_id)
{
	static const char *const names[] = { "", "kim", "lee", "root" };

	sess = (struct sess){ .id = "x",
		.user_id = user_id,
		.username = names[user_id],
		.name = names[user_id],
		.role = user_id == 3 ? "admin" : "reader",
		.cart_key = g_intern_string(arena_printf(
		    req.arena, "cart:o%d-%d", (int)getpid(), (int)user_id)) };
}

static inline void
exec(const struct db_stmt *st, struct db_arg a, int64_t id)
{
	g_assert_cmpint(
	    db_exec(&req, st, DB_ARGS(a, db_int(id)), NULL, NULL), ==, RC_OK);
}

static inline void
begin(void)
{
	test_req_next(&req);
	req.status = 0;
	req.details = NULL;
	req.form = NULL;
	g_assert_cmpint(form_parse(&req, NULL, NULL, NULL, 0), ==, RC_OK);
	as(1);
	for (int64_t id = 1; id <= 4; id++) {
		exec(&SET_STOCK, db_int(id == 4 ? 1000 : 10), id);
		exec(&WITHDRAW, db_null(), id);
	}
	exec(&SET_PRICE, db_text("100.00"), 1);
}

/* Forgets what a call that was meant to fail has said. */
static inline void
forgive(void)
{
	req_forgive(&req);
	req.status = 0;
}

static inline int64_t
count(const struct db_stmt *st, struct db_arg a, struct db_arg b, size_t n)
{
	const struct db_arg args[] = { a, b };
	json_t *row = NULL;

	g_assert_cmpint(db_row(&req, st, args, n, &row), ==, RC_OK);
	return model_int(row, "n");
}

static inline int64_t
stock(int64_t id)
{
	return count(&STOCK, db_int(id), db_null(), 1);
}

static inline struct order_request
request(struct order_line *lines, size_t n)
{
	return (struct order_request){ .key = arena_printf(
					   req.arena, "key%d", ++keys),
		.recipient = "Kim",
		.phone = "010-1234-5678",
		.postcode = "04524",
		.address = "Seoul",
		.lines = lines,
		.nlines = n };
}

/* An order of one copy of the first book and two of the second. */
static inline const char *
placed(void)
{
	struct order_line lines[] = { { 2, 2, -1 }, { 1, 1, -1 } };
	struct order_request r = request(lines, 2);
	json_t *order = NULL;
	bool replayed;

	g_assert_cmpint(order_place(&req, &r, &order, &replayed), ==, RC_OK);
	return model_text(order, "number");
}

static inline json_t *
look(const char *number)
{
	json_t *order = NULL;

	g_assert_cmpint(order_by_number(&req, number, &order), ==, RC_OK);
	return order;
}

static inline const char *
state_of(const char *number)
{
	return model_text(look(number), "state");
}

static inline int64_t
payments(const char *number, const char *result)
{
	return count(&PAYMENTS, db_int(model_int(look(number), "id")),
	    db_text(result), 2);
}

static inline void
make_old(const char *number)
{
	int64_t id = model_int(look(number), "id");

	g_assert_cmpint(
	    db_exec(&req, &MAKE_OLD, DB_ARGS(db_int(id)), NULL, NULL), ==,
	    RC_OK);
}

#endif
