/*
 * db -- talks to MariaDB: one link a worker, statements prepared once a link,
 * rows handed over as JSON.
 *
 * When is a statement sent a second time?  Only on a link that was open
 * before and turned out dead, only outside a transaction, only while most of
 * the deadline is left, and only if it cannot have been run:
 *   - preparing changes nothing;
 *   - a SELECT and START TRANSACTION change nothing;
 *   - anything else is sent only after a look at the socket showed that the
 *     link was alive; if it dies after that, the statement may have been run
 *     and its fate is unknown, so it fails.
 * A SELECT is tried further, after a wait, as MariaDB may just be starting.
 */
#include "db_internal.h"

#include "backoff.h"
#include "metric.h"

#define DB_PORT 3306
#define READ_RETRIES 2
#define READ_WAIT_US 10000 /* before the first of them; doubles */

static const struct db_stmt PING = { "db.ping", "SELECT 1 AS one" };

/* Opening and closing. */

struct db *
db_open(const struct conf *conf)
{
	struct db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	if (hosts_parse(conf->db_hosts, DB_PORT, &db->hosts) < 0) {
		log_msg(LOG_ERROR, "db.error", "not a list of hosts: %s",
		    conf->db_hosts);
		free(db);
		return NULL;
	}
	db->conf = conf;
	db->breaker = breaker_new(conf, BREAKER_MARIADB);
	if (!db->breaker) {
		free(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	db_link_close(db);
	breaker_free(db->breaker);
	free(db);
}

/* Running a statement. */

static bool
begins_with(const char *sql, const char *word)
{
	return strncasecmp(sql, word, strlen(word)) == 0;
}

static bool
is_read(const char *sql)
{
	return begins_with(sql, "SELECT ") || begins_with(sql, "(SELECT ") ||
	    begins_with(sql, "WITH ");
}

static bool
is_repeatable(const char *sql)
{
	return is_read(sql) || begins_with(sql, "START ");
}

/* A link to use, looked at first where it matters. */
static int
get_link(struct db *db, struct run *run)
{
	if (db->busy)
		db_link_close(db); /* a jump left rows unread */
	if (db->link && !db->in_tx && !is_repeatable(run->st->sql) &&
	    hosts_hung_up(mysql_get_socket(db->link)))
		db_link_close(db);
	run->was_open = db->link != NULL;
	if (db->link)
		return RC_OK;
	if (db->in_tx) {
		db_blame(run, CR_SERVER_LOST, "HY000",
		    "the link was lost within the transaction");
		return RC_DOWN;
	}
	return db_link_open(db, run);
}

static int
attempt(struct req *req, struct run *run)
{
	struct db *db = req->db;
	int rc;

	run->sent = false;
	rc = get_link(db, run);
	if (rc < 0)
		return rc;
	db->busy = true;
	rc = db_stmt_run(req, run);
	if (rc < 0)
		db->busy = false;
	return rc;
}

/* Past half of its time, a lost link may well be a deadline passed. */
static bool
has_time(const struct db *db, const struct run *run)
{
	return log_now() - run->begin <=
	    db->conf->command_ms * INT64_C(1000) / 2;
}

static bool
may_repeat(const struct db *db, const struct run *run)
{
	if (!run->was_open || db->in_tx || !has_time(db, run))
		return false;
	if (run->code == ER_UNKNOWN_STMT_HANDLER)
		return true; /* not run, by MariaDB's word */
	return db_is_lost(run->code) &&
	    (!run->sent || is_repeatable(run->st->sql));
}

/* Is it worth a wait?  A probe is over with its first failure. */
static bool
may_retry(const struct db *db, const struct run *run)
{
	return !db->in_tx && !db->call.probe && has_time(db, run) &&
	    is_read(run->st->sql) &&
	    (db_is_lost(run->code) || run->code == CR_CONNECTION_ERROR ||
		run->code == CR_CONN_HOST_ERROR);
}

static int
try_again(struct req *req, struct run *run)
{
	run->code = 0;
	db_link_close(req->db);
	return attempt(req, run);
}

/* With all the tries that it deserves. */
static int
attempt_well(struct req *req, struct run *run)
{
	struct db *db = req->db;
	int rc = attempt(req, run);

	if (rc < 0 && may_repeat(db, run)) {
		db_log_failure(LOG_WARN, run);
		rc = try_again(req, run);
	}
	for (int i = 0; rc < 0 && i < READ_RETRIES && may_retry(db, run); i++) {
		log_msg(LOG_WARN, "db.retry", "%s", run->text);
		backoff_wait(READ_WAIT_US, i);
		rc = try_again(req, run);
	}
	return rc;
}

/* What it does; a variable may be set for it alone. */
static const char *
verb_of(const char *sql)
{
	static const char for_it[] = "SET STATEMENT ";
	const char *verb = strncmp(sql, for_it, sizeof(for_it) - 1) == 0 ?
	    strstr(sql, " FOR ") :
	    NULL;

	return verb ? verb + strlen(" FOR ") : sql;
}

static void
log_query(struct req *req, const struct run *run, int64_t rows)
{
	int64_t us = log_now() - run->begin;
	const char *sql = run->st->sql + (*run->st->sql == '(');

	req->db_us += us;
	metric_sql(us);
	log_event(LOG_INFO, "db.query");
	log_str("name", run->st->name);
	log_strn("op", verb_of(sql), strcspn(verb_of(sql), " "));
	log_int("rows", rows);
	log_int("us", us);
	if (run->code)
		log_int("error", run->code);
	log_end();
}

/* Says what became of a statement that failed. */
static int
failed(struct req *req, struct run *run)
{
	struct db *db = req->db;

	db->busy = false;
	log_query(req, run, 0);
	breaker_done(db->breaker, &db->call, !db_is_broken(run->code));
	if (db_ends_link(run->code))
		db_link_close(db);
	if (run->code == ER_DUP_ENTRY)
		return RC_CONFLICT; /* the caller has better words */
	metric_add(METRIC_SQL_ERRORS, 1);
	if (db->in_tx && db_is_contention(run->code)) {
		db_log_failure(LOG_WARN, run);
		db->tx_again = true;
		return RC_DOWN; /* db_tx() says so if it stays so */
	}
	db_log_failure(LOG_ERROR, run);
	if (!db->link || db_is_down(run->code) || db_is_contention(run->code))
		return db_down(req);
	return req_bug(req);
}

static void
succeeded(struct req *req, const struct run *run, int64_t rows)
{
	log_query(req, run, rows);
	db_stmt_tell(req, run);
	breaker_done(req->db->breaker, &req->db->call, true);
}

/* Sends the statement, if the breaker lets it pass. */
static int
execute(struct req *req, struct run *run)
{
	struct db *db = req->db;

	run->begin = log_now();
	/* The server has ended this transaction: what would come now would be
	 * outside of it. */
	if (db->tx_again) {
		req->db_count++;
		return RC_DOWN;
	}
	/* A transaction that has begun is better brought to its end. */
	if (!breaker_pass(db->breaker, &db->call) && !db->in_tx)
		return db_refused(req);
	req->db_count++;
	return attempt_well(req, run) < 0 ? failed(req, run) : RC_OK;
}

/* Rows. */

/* execute() for a statement that gives rows. */
static int
query(struct req *req, struct run *run)
{
	int rc = execute(req, run);

	if (rc < 0)
		return rc;
	if (run->prepared && run->prepared->ncolumns > 0)
		return RC_OK;
	db_blame_us(run, "the statement gives no rows");
	return failed(req, run);
}

/* Rows that nobody wants are read all the same, as the link goes on. */
static void
finish(struct db *db, struct run *run)
{
	mysql_stmt_free_result(run->prepared->stmt);
	db->busy = false;
}

static int
all_rows(struct req *req, struct run *run, json_t *list)
{
	json_t *row;
	int rc;

	while ((rc = db_next_row(req, run, &row)) == RC_OK) {
		if (json_array_size(list) == DB_ROWS_MAX) {
			json_decref(row);
			db_blame_us(run, "more rows than any page can want");
			return RC_BUG;
		}
		json_array_append_new(list, row);
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

int
db_rows(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, json_t **rows)
{
	struct run run = { .st = st, .args = args, .nargs = nargs };
	json_t *list;
	int rc;

	rc = query(req, &run);
	if (rc < 0)
		return rc;
	list = json_array();
	rc = all_rows(req, &run, list);
	finish(req->db, &run);
	if (rc < 0) {
		json_decref(list);
		return failed(req, &run);
	}
	succeeded(req, &run, (int64_t)json_array_size(list));
	*rows = list;
	return RC_OK;
}

int
db_row(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, json_t **row)
{
	struct run run = { .st = st, .args = args, .nargs = nargs };
	json_t *got = NULL;
	int rc;

	rc = query(req, &run);
	if (rc < 0)
		return rc;
	rc = db_next_row(req, &run, &got);
	finish(req->db, &run);
	if (rc < 0 && rc != RC_NOT_FOUND)
		return failed(req, &run);
	succeeded(req, &run, rc == RC_OK);
	if (rc == RC_OK)
		*row = got;
	return rc;
}

int
db_exec(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, int64_t *affected, int64_t *id)
{
	struct run run = { .st = st, .args = args, .nargs = nargs };
	MYSQL_STMT *stmt;
	int64_t changed;
	int rc;

	rc = execute(req, &run);
	if (rc < 0)
		return rc;
	stmt = run.prepared->stmt;
	if (run.prepared->ncolumns > 0) {
		db_blame_us(&run, "the statement gives rows");
		finish(req->db, &run);
		return failed(req, &run);
	}
	req->db->busy = false;
	changed = (int64_t)mysql_stmt_affected_rows(stmt);
	succeeded(req, &run, changed);
	if (affected)
		*affected = changed;
	if (id)
		*id = (int64_t)mysql_stmt_insert_id(stmt);
	return RC_OK;
}

int
db_ping(struct req *req)
{
	json_t *row;

	return db_row(req, &PING, DB_NO_ARGS, &row);
}

const struct breaker *
db_breaker(const struct req *req)
{
	return req->db->breaker;
}
