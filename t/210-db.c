/*
 * Tests lib/db on a private MariaDB: values, errors, lost links, deadlines,
 * transactions.  SEOGA_TEST_DB_SOCKET names its socket; SEOGA_TEST_DB_USER,
 * else the user that runs the test, may create databases there.
 */
#include <setjmp.h>
#include <sys/wait.h>

#include "db.h"
#include "lib/backend.h"

#define STMT(id, text) static const struct db_stmt id = { #id, text }

static struct conf conf;
static struct req req;
static struct db *other; /* a second link */
static char log_file[] = "/tmp/seoga-db-XXXXXX";

STMT(CONNECTION, "SELECT CONNECTION_ID() AS id");
STMT(KILL, "KILL ?");
STMT(EMPTY, "TRUNCATE t");
STMT(ADD, "INSERT INTO t (n) VALUES (?)");
STMT(ADD_UNIQUE, "INSERT INTO t (n, u) VALUES (?, ?)");
STMT(COUNT, "SELECT COUNT(*) AS n FROM t");
STMT(SUM, "SELECT SUM(n) AS n FROM t");
STMT(BUMP, "UPDATE t SET n = n + 1 WHERE id = ?");
STMT(SLEEP_READ, "SELECT SLEEP(?) AS s");
STMT(SLEEP_WRITE, "INSERT INTO t (n) VALUES (SLEEP(?) + 1)");

static int
exec(const struct db_stmt *st)
{
	return db_exec(&req, st, DB_NO_ARGS, NULL, NULL);
}

static int64_t
number(const struct db_stmt *st, const char *key)
{
	json_t *row = NULL;

	if (db_row(&req, st, DB_NO_ARGS, &row) < 0)
		return -1;
	return json_integer_value(json_object_get(row, key));
}

/* Runs fn(arg) with the second link. */
static int
with_other(int (*fn)(int64_t), int64_t arg)
{
	struct db *mine = req.db;
	int rc;

	req.db = other;
	rc = fn(arg);
	req.db = mine;
	return rc;
}

static int
kill_link(int64_t id)
{
	return db_exec(&req, &KILL, DB_ARGS(db_int(id)), NULL, NULL);
}

static void
kill_mine(void)
{
	int64_t id = number(&CONNECTION, "id");

	g_assert_cmpint(with_other(kill_link, id), ==, RC_OK);
	/* Until the server has closed it. */
	g_usleep(50 * 1000);
}

/* Gives a child a link of its own; the parent's it must not touch. */
static void
child_open(void)
{
	static struct db *inherited;

	inherited = req.db;
	req.db = db_open(&conf);
	/* So that nobody takes it for lost. */
	g_assert_true(inherited != req.db);
}

/* A process that kills our link after a while. */
static pid_t
kill_later(int ms)
{
	int64_t id = number(&CONNECTION, "id");
	pid_t pid = fork();

	if (pid == 0) {
		child_open();
		g_usleep((gulong)ms * 1000);
		_exit(kill_link(id) == RC_OK ? 0 : 1);
	}
	return pid;
}

static int
wait_for(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
begin(void)
{
	test_req_next(&req);
	g_assert_cmpint(exec(&EMPTY), ==, RC_OK);
	test_req_next(&req);
	g_free(test_log_take(log_file));
}

/* Values. */

static void
assert_row(const char *sql, const char *expected)
{
	struct db_stmt st = { sql, sql };
	json_t *row = NULL;
	char *got;

	g_assert_cmpint(db_row(&req, &st, DB_NO_ARGS, &row), ==, RC_OK);
	got = row ? json_dumps(row, JSON_COMPACT) : NULL;
	g_assert_cmpstr(got, ==, expected);
}

static void
test_integers(void)
{
	assert_row("SELECT a, b, c, d, e, f, g, h FROM v WHERE id = 1",
	    "{\"a\":-128,\"b\":255,\"c\":-32768,\"d\":-8388608,"
	    "\"e\":-2147483648,\"f\":4294967295,"
	    "\"g\":-9223372036854775808,\"h\":9223372036854775807}");
	assert_row("SELECT a, b, c, d, e, f, g, h FROM v WHERE id = 2",
	    "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,"
	    "\"f\":null,\"g\":null,\"h\":null}");
}

static void
test_decimals(void)
{
	assert_row("SELECT CAST(12.50 AS DECIMAL(10,2)) AS a, "
		   "CAST(-0.05 AS DECIMAL(10,2)) AS b, "
		   "CAST(0 AS DECIMAL(10,2)) AS c, "
		   "CAST(-99999999.99 AS DECIMAL(10,2)) AS d, "
		   "CAST(NULL AS DECIMAL(10,2)) AS e, SUM(x) AS f "
		   "FROM (SELECT 3 AS x UNION SELECT 4) y",
	    "{\"a\":1250,\"b\":-5,\"c\":0,\"d\":-9999999999,\"e\":null,"
	    "\"f\":7}");
}

static void
test_times(void)
{
	assert_row("SELECT CAST('2026-11-21 10:20:30' AS DATETIME) AS a, "
		   "TIMESTAMP('0001-02-03 04:05:06') AS b, "
		   "CAST('2026-11-21' AS DATE) AS c, "
		   "CAST(NULL AS DATETIME) AS d, @@time_zone AS z",
	    "{\"a\":\"2026-11-21T10:20:30Z\","
	    "\"b\":\"0001-02-03T04:05:06Z\",\"c\":\"2026-11-21\","
	    "\"d\":null,\"z\":\"+00:00\"}");
}

static void
test_flags(void)
{
	assert_row("SELECT 1 AS `a?`, 0 AS `b?`, NULL AS `c?`, 5 > 7 AS `d?`,"
		   " 2 AS `e`",
	    "{\"a\":true,\"b\":false,\"c\":null,\"d\":false,\"e\":2}");
}

static void
test_texts(void)
{
	assert_row("SELECT '' AS empty, '서가 📚' AS text, "
		   "'a\\\"b' AS quote, 1.5e0 AS real_number",
	    "{\"empty\":\"\",\"text\":\"서가 📚\",\"quote\":\"a\\\"b\","
	    "\"real_number\":\"1.5\"}");
}

static void
test_arguments(void)
{
	STMT(ECHO, "SELECT CAST(? AS SIGNED) AS i, ? AS t, ? AS n, ? AS q");
	const char *odd = "'; DROP TABLE t; -- \\ \" % _ \n 책";
	json_t *row = NULL;

	g_assert_cmpint(db_row(&req, &ECHO,
			    DB_ARGS(db_int(INT64_MIN), db_text(""),
				db_text(NULL), db_text(odd)),
			    &row),
	    ==, RC_OK);
	g_assert_true(
	    json_integer_value(json_object_get(row, "i")) == INT64_MIN);
	g_assert_cmpstr(json_string_value(json_object_get(row, "t")), ==, "");
	g_assert_true(json_is_null(json_object_get(row, "n")));
	g_assert_cmpstr(json_string_value(json_object_get(row, "q")), ==, odd);
	g_assert_cmpint(exec(&EMPTY), ==, RC_OK);
}

/* Longer than the buffer that waits for it, and shorter again. */
static void
test_long_text(void)
{
	STMT(REPEAT, "SELECT REPEAT('책', ?) AS t, 7 AS n");
	static const int sizes[] = { 10, 341, 342, 100000, 3 };
	json_t *row = NULL, *t;

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		g_assert_cmpint(
		    db_row(&req, &REPEAT, DB_ARGS(db_int(sizes[i])), &row), ==,
		    RC_OK);
		t = json_object_get(row, "t");
		g_assert_cmpuint(
		    json_string_length(t), ==, 3 * (size_t)sizes[i]);
		g_assert_true(g_str_has_suffix(json_string_value(t), "책"));
		g_assert_cmpint(
		    json_integer_value(json_object_get(row, "n")), ==, 7);
	}
}

static void
test_rows(void)
{
	STMT(SEQUENCE,
	    "SELECT seq AS n, LPAD(seq, 5, '0') AS t "
	    "FROM seq_1_to_1001 ORDER BY seq LIMIT ?");
	json_t *rows = NULL;

	g_assert_cmpint(
	    db_rows(&req, &SEQUENCE, DB_ARGS(db_int(0)), &rows), ==, RC_OK);
	g_assert_cmpuint(json_array_size(rows), ==, 0);
	g_assert_true(json_is_array(rows));
	g_assert_cmpint(
	    db_rows(&req, &SEQUENCE, DB_ARGS(db_int(1000)), &rows), ==, RC_OK);
	g_assert_cmpuint(json_array_size(rows), ==, 1000);
	g_assert_cmpstr(
	    json_string_value(json_object_get(json_array_get(rows, 999), "t")),
	    ==, "01000");
	rows = NULL;
	g_assert_cmpint(
	    db_rows(&req, &SEQUENCE, DB_ARGS(db_int(1001)), &rows), ==, RC_BUG);
	g_assert_null(rows);
	/* The link is in step. */
	g_assert_cmpint(
	    db_rows(&req, &SEQUENCE, DB_ARGS(db_int(2)), &rows), ==, RC_OK);
	g_assert_cmpuint(json_array_size(rows), ==, 2);
}

static void
test_row(void)
{
	STMT(THREE, "SELECT seq AS n FROM seq_1_to_3");
	STMT(NONE, "SELECT 1 AS n FROM t WHERE FALSE");
	json_t *row = NULL;

	g_assert_cmpint(
	    db_row(&req, &NONE, DB_NO_ARGS, &row), ==, RC_NOT_FOUND);
	g_assert_null(row);
	g_assert_null(req.fail_text);
	g_assert_cmpint(number(&THREE, "n"), ==, 1);
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
}

static void
test_exec(void)
{
	STMT(UPDATE, "UPDATE t SET n = 5");
	int64_t affected = -1, id = -1;

	g_assert_cmpint(
	    db_exec(&req, &ADD, DB_ARGS(db_int(1)), &affected, &id), ==, RC_OK);
	g_assert_cmpint(affected, ==, 1);
	g_assert_cmpint(id, ==, 1);
	g_assert_cmpint(
	    db_exec(&req, &ADD, DB_ARGS(db_int(1)), NULL, &id), ==, RC_OK);
	g_assert_cmpint(id, ==, 2);
	g_assert_cmpint(
	    db_exec(&req, &UPDATE, DB_NO_ARGS, &affected, NULL), ==, RC_OK);
	g_assert_cmpint(affected, ==, 2);
}

/* Errors. */

static void
test_duplicate(void)
{
	g_assert_cmpint(db_exec(&req, &ADD_UNIQUE,
			    DB_ARGS(db_int(1), db_text("a")), NULL, NULL),
	    ==, RC_OK);
	g_assert_cmpint(db_exec(&req, &ADD_UNIQUE,
			    DB_ARGS(db_int(2), db_text("a")), NULL, NULL),
	    ==, RC_CONFLICT);
	g_assert_null(req.fail_text);
	g_assert_cmpint(number(&COUNT, "n"), ==, 1);
}

static void
assert_bug(int rc, const char *logged)
{
	char *text = test_log_take(log_file);

	g_assert_cmpint(rc, ==, RC_BUG);
	g_assert_nonnull(strstr(text, "\"db.error\""));
	g_assert_nonnull(strstr(text, logged));
	g_assert_null(strstr(req.fail_text, logged));
	g_free(text);
	test_req_next(&req);
}

static void
test_bugs(void)
{
	STMT(SYNTAX, "SELEC 1");
	STMT(TABLE, "SELECT 1 AS n FROM nowhere");
	STMT(LONG, "INSERT INTO t (n, u) VALUES (1, REPEAT('x', 99))");
	STMT(BIG, "SELECT CAST(-1 AS UNSIGNED) AS n");
	STMT(BINARY, "SELECT x'ff' AS n");
	STMT(HUGE, "SELECT CAST(99999999999999999999 AS DECIMAL(20,0)) AS n");
	json_t *row = NULL;

	assert_bug(exec(&SYNTAX), "You have an error in your SQL syntax");
	assert_bug(db_row(&req, &TABLE, DB_NO_ARGS, &row), "nowhere");
	assert_bug(exec(&LONG), "Data too long");
	assert_bug(db_row(&req, &BIG, DB_NO_ARGS, &row), "unsigned");
	assert_bug(db_row(&req, &HUGE, DB_NO_ARGS, &row), "DECIMAL");
	assert_bug(db_row(&req, &BINARY, DB_NO_ARGS, &row), "not UTF-8");
	assert_bug(exec(&COUNT), "gives rows");
	assert_bug(db_row(&req, &EMPTY, DB_NO_ARGS, &row), "gives no rows");
	assert_bug(exec(&ADD), "number of arguments");
	g_assert_null(row);
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
}

static void
test_log(void)
{
	char *text;

	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
	g_assert_cmpint(req.db_count, ==, 2);
	text = test_log_take(log_file);
	g_assert_nonnull(strstr(text,
	    "\"db.query\",\"name\":\"COUNT\",\"op\":\"SELECT\","
	    "\"rows\":1,\"us\":"));
	g_free(text);
}

static void
test_many_statements(void)
{
	char sql[64];
	struct db_stmt st = { "many", sql };

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100; i++) {
			snprintf(sql, sizeof(sql), "SELECT %d AS n", i);
			g_assert_cmpint(number(&st, "n"), ==, i);
		}
	}
}

/* Lost links. */

static void
test_killed_idle(void)
{
	int64_t before = number(&CONNECTION, "id");

	kill_mine();
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
	g_assert_cmpint(number(&CONNECTION, "id"), !=, before);
	kill_mine();
	g_assert_cmpint(
	    db_exec(&req, &ADD, DB_ARGS(db_int(1)), NULL, NULL), ==, RC_OK);
	g_assert_cmpint(number(&COUNT, "n"), ==, 1);
	g_assert_null(req.fail_text);
}

static void
test_killed_read(void)
{
	json_t *row = NULL;
	pid_t pid = kill_later(100);

	g_assert_cmpint(
	    db_row(&req, &SLEEP_READ, DB_ARGS(db_text("0.3")), &row), ==,
	    RC_OK);
	g_assert_cmpint(wait_for(pid), ==, 0);
}

/* It may have been run, so that it must not be sent again. */
static void
test_killed_write(void)
{
	pid_t pid = kill_later(100);

	g_assert_cmpint(
	    db_exec(&req, &SLEEP_WRITE, DB_ARGS(db_text("0.3")), NULL, NULL),
	    ==, RC_DOWN);
	g_assert_cmpint(req.retry_after, ==, 5);
	g_assert_cmpint(wait_for(pid), ==, 0);
	g_usleep(400 * 1000);
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
}

static void
assert_down_within(int64_t since, int rc, int least, int most)
{
	int ms = test_ms(since);

	g_test_message("%d ms", ms);
	g_assert_cmpint(rc, ==, RC_DOWN);
	g_assert_cmpint(ms, >=, least);
	g_assert_cmpint(ms, <=, most);
	g_assert_nonnull(req.fail_text);
	g_assert_cmpint(req.retry_after, ==, 5);
}

static void
test_slow_statement(void)
{
	STMT(SLOW,
	    "SELECT COUNT(*) AS n FROM seq_1_to_100000000 a "
	    "WHERE a.seq * 7 % 3 = 1 AND MD5(a.seq) LIKE 'zz%'");
	int64_t id = number(&CONNECTION, "id"), t = log_now();
	json_t *row = NULL;

	assert_down_within(t, db_row(&req, &SLOW, DB_NO_ARGS, &row), 800, 1300);
	/* The server ended it, and the link lives. */
	g_assert_cmpint(number(&CONNECTION, "id"), ==, id);
}

static void
test_slow_server(void)
{
	STMT(NO_LIMIT, "SET max_statement_time = 0");
	json_t *row = NULL;
	int64_t t;

	g_assert_cmpint(exec(&NO_LIMIT), ==, RC_OK);
	t = log_now();
	assert_down_within(
	    t, db_row(&req, &SLEEP_READ, DB_ARGS(db_int(3)), &row), 900, 1300);
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
}

/* Runs a ping with a configuration of its own. */
static void
assert_no_ping(const char *hosts, int most)
{
	struct conf own = test_conf(hosts);
	struct db *mine = req.db;
	int64_t t = log_now();

	req.db = db_open(&own);
	assert_down_within(t, db_ping(&req), 0, most);
	db_close(req.db);
	req.db = mine;
	test_req_next(&req);
}

static void
test_mute_server(void)
{
	char path[108];
	int fd = test_mute_open(path);

	assert_no_ping(path, 2500);
	test_mute_close(fd, path);
}

static void
test_no_server(void)
{
	char *text;

	assert_no_ping("/nowhere/db.sock", 500);
	assert_no_ping("127.0.0.1:1,127.0.0.1:2", 500);
	text = test_log_take(log_file);
	g_assert_nonnull(strstr(text, "127.0.0.1"));
	g_assert_nonnull(strstr(text, "/nowhere/db.sock"));
	g_free(text);
	g_assert_null(db_open(&(struct conf){ .db_hosts = "a:b" }));
}

static void
test_heal(void)
{
	char dir[] = "/tmp/seoga-XXXXXX", path[64];
	struct conf own = conf;
	struct db *mine = req.db;

	g_assert_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	own.db_hosts = path;
	req.db = db_open(&own);
	g_assert_cmpint(db_ping(&req), ==, RC_DOWN);
	g_assert_cmpint(symlink(conf.db_hosts, path), ==, 0);
	g_assert_cmpint(db_ping(&req), ==, RC_OK);
	db_close(req.db);
	req.db = mine;
	unlink(path);
	rmdir(dir);
}

/* Transactions. */

struct tx {
	int64_t first, second; /* rows to bump */
	int tries, rc, pause_ms;
};

static int
bump(int64_t id)
{
	return db_exec(&req, &BUMP, DB_ARGS(db_int(id)), NULL, NULL);
}

static int
bump_both(struct req *r ATTR_UNUSED, void *arg)
{
	struct tx *tx = arg;
	int rc;

	tx->tries++;
	rc = bump(tx->first);
	if (rc < 0)
		return rc;
	g_usleep((gulong)tx->pause_ms * 1000);
	rc = bump(tx->second);
	return rc < 0 ? rc : tx->rc;
}

static void
two_rows(void)
{
	for (int i = 0; i < 2; i++)
		g_assert_cmpint(
		    db_exec(&req, &ADD, DB_ARGS(db_int(0)), NULL, NULL), ==,
		    RC_OK);
}

static void
test_commit(void)
{
	struct tx tx = { 1, 2, .rc = RC_OK };

	two_rows();
	test_req_next(&req);
	g_assert_cmpint(db_tx(&req, bump_both, &tx), ==, RC_OK);
	g_assert_cmpint(req.db_count, ==, 4);
	g_assert_cmpint(number(&SUM, "n"), ==, 2);
}

static void
test_rollback(void)
{
	struct tx tx = { 1, 2, .rc = RC_FORBIDDEN };

	two_rows();
	g_assert_cmpint(db_tx(&req, bump_both, &tx), ==, RC_FORBIDDEN);
	g_assert_cmpint(tx.tries, ==, 1);
	g_assert_cmpint(number(&SUM, "n"), ==, 0);
	/* What follows is outside of a transaction. */
	g_assert_cmpint(bump(1), ==, RC_OK);
	kill_mine();
	g_assert_cmpint(number(&SUM, "n"), ==, 1);
}

static int
nest(struct req *r, void *arg)
{
	return db_tx(r, bump_both, arg);
}

static void
test_nested(void)
{
	struct tx tx = { 1, 2, .rc = RC_OK };

	g_assert_cmpint(db_tx(&req, nest, &tx), ==, RC_BUG);
	g_assert_cmpint(tx.tries, ==, 0);
}

static void
test_deadlock(void)
{
	struct tx a = { 1, 2, .pause_ms = 300 }, b = { 2, 1, .pause_ms = 300 };
	pid_t pid;
	int tries;

	two_rows();
	pid = fork();
	if (pid == 0) {
		child_open();
		if (db_tx(&req, bump_both, &b) < 0)
			_exit(99);
		_exit(b.tries);
	}
	test_req_next(&req);
	g_assert_cmpint(db_tx(&req, bump_both, &a), ==, RC_OK);
	g_assert_null(req.fail_text);
	tries = wait_for(pid);
	g_test_message("%d and %d tries", a.tries, tries);
	g_assert_cmpint(a.tries + tries, >, 2);
	g_assert_cmpint(a.tries + tries, <, 99);
	g_assert_cmpint(number(&SUM, "n"), ==, 4);
}

/* Within a transaction of ours, so that the other one meets its lock. */
static int
hold_lock(struct req *r, void *arg)
{
	struct tx *tx = arg;
	struct db *mine = req.db;
	int rc = bump(1);

	if (rc < 0)
		return rc;
	req.db = other;
	rc = db_tx(r, bump_both, tx);
	req.db = mine;
	return rc;
}

/* The lock does not go away: five tries, then it is said. */
static void
test_lock_stays(void)
{
	struct conf own = conf;
	struct tx tx = { 1, 2, .rc = RC_OK };
	struct db *spare = other;

	two_rows();
	own.command_ms = 2200;
	other = db_open(&own);
	g_assert_cmpint(db_tx(&req, hold_lock, &tx), ==, RC_DOWN);
	g_assert_cmpint(tx.tries, ==, 5);
	g_assert_nonnull(req.fail_text);
	g_assert_cmpint(req.retry_after, ==, 5);
	g_assert_cmpint(number(&SUM, "n"), ==, 0);
	test_req_next(&req);
	db_close(other);
	other = spare;
}

/* It goes away after the first try. */
static void
test_lock_goes(void)
{
	struct conf own = conf;
	struct tx a = { 1, 2, .rc = RC_OK }, b = { 1, 1, .pause_ms = 1300 };
	struct db *mine = req.db;
	pid_t pid;

	two_rows();
	pid = fork();
	if (pid == 0) {
		child_open();
		_exit(db_tx(&req, bump_both, &b) == RC_OK ? 0 : 1);
	}
	own.command_ms = 2200;
	req.db = db_open(&own);
	g_usleep(200 * 1000);
	g_assert_cmpint(db_tx(&req, bump_both, &a), ==, RC_OK);
	g_assert_cmpint(a.tries, ==, 2);
	g_assert_null(req.fail_text);
	g_assert_cmpint(wait_for(pid), ==, 0);
	g_assert_cmpint(number(&SUM, "n"), ==, 4);
	test_req_next(&req);
	db_close(req.db);
	req.db = mine;
}

/* A jump out of a transaction, as from a full arena. */
static jmp_buf full;

static int
jump_out(struct req *r ATTR_UNUSED, void *arg)
{
	if (bump(1) < 0)
		return RC_BUG;
	longjmp(*(jmp_buf *)arg, 1);
}

static void
test_jump(void)
{
	two_rows();
	if (setjmp(full) == 0) {
		g_assert_cmpint(db_tx(&req, jump_out, &full), ==, RC_OK);
		g_assert_not_reached();
	}
	test_req_next(&req);
	g_assert_cmpint(number(&SUM, "n"), ==, 0);
	g_assert_cmpint(bump(1), ==, RC_OK);
	g_assert_cmpint(number(&SUM, "n"), ==, 1);
}

static void
on_full(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

/* The arena is full while rows are read. */
static void
test_jump_rows(void)
{
	STMT(WIDE, "SELECT REPEAT('x', 1000) AS t FROM seq_1_to_900");
	struct arena *a = req.arena;
	json_t *rows = NULL;

	req.arena = test_arena = arena_open(200 << 10);
	arena_on_full(test_arena, on_full, &full);
	if (setjmp(full) == 0) {
		g_assert_cmpint(
		    db_rows(&req, &WIDE, DB_NO_ARGS, &rows), ==, RC_OK);
		g_assert_not_reached();
	}
	arena_close(test_arena);
	req.arena = test_arena = a;
	g_assert_cmpint(number(&COUNT, "n"), ==, 0);
}

static int
lose_link(struct req *r ATTR_UNUSED, void *arg)
{
	struct tx *tx = arg;

	tx->tries++;
	if (bump(1) < 0)
		return RC_BUG;
	kill_mine();
	return tx->rc ? bump(2) : RC_OK;
}

static void
test_lost_in_tx(void)
{
	struct tx tx = { .rc = 1 };

	two_rows();
	g_assert_cmpint(db_tx(&req, lose_link, &tx), ==, RC_DOWN);
	g_assert_cmpint(tx.tries, ==, 1);
	test_req_next(&req);
	g_assert_cmpint(number(&SUM, "n"), ==, 0);
	tx.rc = 0;
	g_assert_cmpint(db_tx(&req, lose_link, &tx), ==, RC_DOWN);
	g_assert_cmpint(tx.tries, ==, 2);
	g_assert_cmpint(number(&SUM, "n"), ==, 0);
}

/* A link that died idle is found by START TRANSACTION. */
static void
test_lost_before_tx(void)
{
	struct tx tx = { 1, 2, .rc = RC_OK };

	two_rows();
	kill_mine();
	g_assert_cmpint(db_tx(&req, bump_both, &tx), ==, RC_OK);
	g_assert_cmpint(number(&SUM, "n"), ==, 2);
}

static void
test_session(void)
{
	assert_row("SELECT @@tx_isolation AS i, "
		   "@@max_statement_time = 0.95 AS `m?`, "
		   "@@sql_mode LIKE '%STRICT_ALL_TABLES%' AS `strict?`, "
		   "@@character_set_client AS c",
	    "{\"i\":\"READ-COMMITTED\",\"m\":true,\"strict\":true,"
	    "\"c\":\"utf8mb4\"}");
}

/* The fixture: a database of our own. */

static char database[64];

static int
create(void)
{
	static const char *const sql[] = {
		"CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, "
		"u VARCHAR(20) UNIQUE)",
		"CREATE TABLE v (id INT PRIMARY KEY, a TINYINT, "
		"b TINYINT UNSIGNED, c SMALLINT, d MEDIUMINT, e INT, "
		"f INT UNSIGNED, g BIGINT, h BIGINT UNSIGNED)",
		"INSERT INTO v VALUES (1, -128, 255, -32768, -8388608, "
		"-2147483648, 4294967295, -9223372036854775808, "
		"9223372036854775807)",
		"INSERT INTO v (id) VALUES (2)"
	};
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < LENGTH(sql); i++)
		rc = exec(&(struct db_stmt){ "create", sql[i] });
	return rc;
}

static int
database_do(const char *verb)
{
	struct conf own = conf;
	struct db *mine = req.db;
	char sql[96];
	int rc;

	own.db_name = NULL;
	req.db = db_open(&own);
	snprintf(sql, sizeof(sql), "%s DATABASE %s", verb, database);
	rc = exec(&(struct db_stmt){ "database", sql });
	db_close(req.db);
	req.db = mine;
	return rc;
}

static int
set_up(const char *socket_path)
{
	const char *user = g_getenv("SEOGA_TEST_DB_USER");

	conf = test_conf(socket_path);
	conf.db_user = user ? user : g_get_user_name();
	snprintf(database, sizeof(database), "seoga_db_%d", (int)getpid());
	conf.db_name = database;
	test_req_open(&req, &conf);
	if (database_do("CREATE") < 0)
		return RC_BUG;
	req.db = db_open(&conf);
	other = db_open(&conf);
	return create();
}

static void
tear_down(void)
{
	db_close(req.db);
	db_close(other);
	test_req_next(&req);
	(void)database_do("DROP");
	test_req_close(&req);
	unlink(log_file);
}

static const struct test {
	const char *path;
	void (*run)(void);
} tests[] = {
	{ "/db/integers", test_integers },
	{ "/db/decimals", test_decimals },
	{ "/db/times", test_times },
	{ "/db/flags", test_flags },
	{ "/db/texts", test_texts },
	{ "/db/arguments", test_arguments },
	{ "/db/long_text", test_long_text },
	{ "/db/rows", test_rows },
	{ "/db/row", test_row },
	{ "/db/exec", test_exec },
	{ "/db/duplicate", test_duplicate },
	{ "/db/bugs", test_bugs },
	{ "/db/log", test_log },
	{ "/db/many_statements", test_many_statements },
	{ "/db/killed_idle", test_killed_idle },
	{ "/db/killed_read", test_killed_read },
	{ "/db/killed_write", test_killed_write },
	{ "/db/slow_statement", test_slow_statement },
	{ "/db/slow_server", test_slow_server },
	{ "/db/mute_server", test_mute_server },
	{ "/db/no_server", test_no_server },
	{ "/db/heal", test_heal },
	{ "/db/commit", test_commit },
	{ "/db/rollback", test_rollback },
	{ "/db/nested", test_nested },
	{ "/db/deadlock", test_deadlock },
	{ "/db/lock_stays", test_lock_stays },
	{ "/db/lock_goes", test_lock_goes },
	{ "/db/jump", test_jump },
	{ "/db/jump_rows", test_jump_rows },
	{ "/db/lost_in_tx", test_lost_in_tx },
	{ "/db/lost_before_tx", test_lost_before_tx },
	{ "/db/session", test_session },
};

static void
run(gconstpointer arg)
{
	const struct test *test = arg;

	begin();
	test->run();
}

int
main(int argc, char **argv)
{
	const char *place = g_getenv("SEOGA_TEST_DB_SOCKET");
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!place) {
		printf("1..0 # SKIP SEOGA_TEST_DB_SOCKET is not set\n");
		return 0;
	}
	close(mkstemp(log_file));
	log_open("test", log_file);
	if (set_up(place) < 0) {
		printf("Bail out! no database on %s\n", place);
		return 1;
	}
	for (size_t i = 0; i < LENGTH(tests); i++)
		g_test_add_data_func(tests[i].path, &tests[i], run);
	status = g_test_run();
	tear_down();
	return status;
}
