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
 */
#include <mysql.h>

#include <mysqld_error.h>
#include <errmsg.h>
#include <time.h>

#include "db.h"
#include "hosts.h"
#include "log.h"
#include "secret.h"

#define DB_PORT 3306
#define RETRY_AFTER 5		/* seconds, for the reader of a 503 */
#define STMTS_MAX 64		/* prepared at a time */
#define ROWS_MAX 1000
#define TEXT_MAX 1024		/* longer values take a second copy */
#define TX_TRIES 5
#define TX_WAIT_US 2000		/* before the second try; doubles */

/* Errors of newer servers, which Debian's header does not know. */
#define ER_QUERY_TIMEOUT_MYSQL 3024

enum column_type { COLUMN_INT, COLUMN_FLAG, COLUMN_DECIMAL, COLUMN_TIME,
    COLUMN_TEXT, COLUMN_BYTES };

struct column {
	enum column_type type;
	char *key;			/* the label without its "?" */
	size_t key_len;
	my_bool null, cut, is_unsigned;
	unsigned long len;
	union {
		long long i;
		MYSQL_TIME time;
		char *text;
	} u;
};

struct prepared {
	char *name, *sql;
	MYSQL_STMT *stmt;
	struct column *columns;
	unsigned ncolumns;
	bool repeatable;		/* changes nothing */
	uint64_t used;			/* when, by db->clock */
};

struct db {
	const struct conf *conf;
	struct hosts hosts;
	MYSQL *link;			/* NULL: not connected */
	struct prepared *prepared[STMTS_MAX];
	size_t nprepared;
	uint64_t clock;
	bool busy;			/* between sending and the last row */
	bool in_tx;
	bool tx_again;			/* rolled back by the server: retry */
	char init[400];			/* said first on a new link */
};

/* One statement on its way. */
struct run {
	const struct db_stmt *st;
	const struct db_arg *args;
	size_t nargs;
	struct prepared *prepared;
	int64_t begin;
	bool was_open;			/* the link, before the attempt */
	bool sent;			/* it may have been run */
	unsigned code;			/* MariaDB's error number, 0 = none */
	char state[SQLSTATE_LENGTH + 1];
	char text[MYSQL_ERRMSG_SIZE];
};

static const struct db_stmt TX_BEGIN = { "tx.begin", "START TRANSACTION" };
static const struct db_stmt TX_COMMIT = { "tx.commit", "COMMIT" };
static const struct db_stmt TX_ROLLBACK = { "tx.rollback", "ROLLBACK" };
static const struct db_stmt PING = { "db.ping", "SELECT 1 AS one" };

/* Opening and closing. */

static unsigned
whole_seconds(int ms)
{
	return (unsigned)(ms + 999) / 1000;
}

/*
 * The server's own limit is a little shorter than ours, so that normally it
 * is the server that ends a slow statement, and the link survives.  A wait
 * for a row's lock ends before that, with an error that db_tx() retries.
 */
static void
write_init(struct db *db, const struct conf *conf)
{
	int limit = conf->command_ms - conf->command_ms / 20;
	int lock = limit > 2000 ? limit / 2000 : 1;

	snprintf(db->init, sizeof(db->init),
	    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
	    " time_zone = '+00:00', tx_isolation = 'READ-COMMITTED',"
	    " max_statement_time = %d.%03d, innodb_lock_wait_timeout = %d",
	    limit / 1000, limit % 1000, lock);
}

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
	write_init(db, conf);
	return db;
}

static void
columns_free(struct column *columns, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (columns[i].type >= COLUMN_TEXT ||
		    columns[i].type == COLUMN_DECIMAL)
			free(columns[i].u.text);
		free(columns[i].key);
	}
	free(columns);
}

static void
prepared_free(struct prepared *p)
{
	if (p->stmt)
		mysql_stmt_close(p->stmt);
	columns_free(p->columns, p->ncolumns);
	free(p->name);
	free(p->sql);
	free(p);
}

static void
link_close(struct db *db)
{
	/* First the link: its statements then close without a word to it. */
	if (db->link)
		mysql_close(db->link);
	db->link = NULL;
	for (size_t i = 0; i < db->nprepared; i++)
		prepared_free(db->prepared[i]);
	db->nprepared = 0;
	db->busy = false;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	link_close(db);
	free(db);
}

/* What went wrong, in MariaDB's words or, with text given, in ours. */

static void
blame(struct run *run, unsigned code, const char *state, const char *text)
{
	run->code = code;
	snprintf(run->state, sizeof(run->state), "%s", state);
	snprintf(run->text, sizeof(run->text), "%s", text);
}

static void
blame_link(struct run *run, MYSQL *link)
{
	blame(run, mysql_errno(link), mysql_sqlstate(link),
	    mysql_error(link));
}

static void
blame_stmt(struct run *run, MYSQL_STMT *stmt)
{
	blame(run, mysql_stmt_errno(stmt), mysql_stmt_sqlstate(stmt),
	    mysql_stmt_error(stmt));
}

/* An error among the rows is left with the link, not with the statement. */
static void
blame_fetch(struct run *run, MYSQL *link)
{
	blame_stmt(run, run->prepared->stmt);
	if (run->code == 0)
		blame_link(run, link);
}

static void
blame_us(struct run *run, const char *text)
{
	blame(run, CR_UNKNOWN_ERROR, "HY000", text);
}

/* The link. */

static MYSQL *
link_new(const struct db *db)
{
	unsigned connect_s = whole_seconds(db->conf->connect_ms);
	unsigned command_s = whole_seconds(db->conf->command_ms);
	unsigned off = 0;
	MYSQL *link = mysql_init(NULL);

	if (!link)
		return NULL;
	mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &command_s);
	mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &command_s);
	mysql_options(link, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(link, MYSQL_INIT_COMMAND, db->init);
	return link;
}

static int
link_open_at(struct db *db, const struct host *host, struct run *run)
{
	const struct conf *conf = db->conf;
	/* Else the library takes "localhost" for a socket. */
	enum mysql_protocol_type tcp = MYSQL_PROTOCOL_TCP;
	MYSQL *link = link_new(db);

	if (!link) {
		blame(run, CR_OUT_OF_MEMORY, "HY000", "no memory");
		return RC_DOWN;
	}
	if (host->port)
		mysql_options(link, MYSQL_OPT_PROTOCOL, &tcp);
	if (!mysql_real_connect(link, host->port ? host->name : NULL,
	    conf->db_user, conf->db_password, conf->db_name,
	    (unsigned)host->port, host->port ? NULL : host->name, 0)) {
		blame_link(run, link);
		mysql_close(link);
		return RC_DOWN;
	}
	db->link = link;
	return RC_OK;
}

static int
link_open(struct db *db, struct run *run)
{
	for (size_t i = 0; i < db->hosts.n; i++) {
		if (link_open_at(db, hosts_at(&db->hosts, i), run) == RC_OK) {
			hosts_worked(&db->hosts, i);
			return RC_OK;
		}
		if (db->hosts.n > 1)
			log_msg(LOG_WARN, "db.lost", "%s", run->text);
	}
	return RC_DOWN;
}

/* Statements. */

static bool
begins_with(const char *sql, const char *word)
{
	return strncasecmp(sql, word, strlen(word)) == 0;
}

static bool
is_repeatable(const char *sql)
{
	return begins_with(sql, "SELECT ") || begins_with(sql, "WITH ") ||
	    begins_with(sql, "START ");
}

static enum column_type
column_type(const MYSQL_FIELD *field, bool is_flag)
{
	if (is_flag)
		return COLUMN_FLAG;
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		return COLUMN_INT;
	case MYSQL_TYPE_DECIMAL:
	case MYSQL_TYPE_NEWDECIMAL:
		return COLUMN_DECIMAL;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
		return COLUMN_TIME;
	case MYSQL_TYPE_BLOB:
	case MYSQL_TYPE_TINY_BLOB:
	case MYSQL_TYPE_MEDIUM_BLOB:
	case MYSQL_TYPE_LONG_BLOB:
	case MYSQL_TYPE_STRING:
	case MYSQL_TYPE_VAR_STRING:
	case MYSQL_TYPE_BIT:
		/* 63 is "binary": nobody has checked that it is UTF-8. */
		return field->charsetnr == 63 ? COLUMN_BYTES : COLUMN_TEXT;
	default:
		return COLUMN_TEXT;
	}
}

static int
column_init(struct column *column, const MYSQL_FIELD *field)
{
	size_t len = field->name_length;
	bool is_flag = len > 0 && field->name[len - 1] == '?';

	column->type = column_type(field, is_flag);
	column->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
	column->key_len = is_flag ? len - 1 : len;
	column->key = strndup(field->name, column->key_len);
	return column->key ? RC_OK : RC_DOWN;
}

static int
column_bind_text(struct column *column, const MYSQL_FIELD *field,
    MYSQL_BIND *bind)
{
	size_t size = field->length < TEXT_MAX ? field->length + 1 : TEXT_MAX;

	/* Numbers and dates that become text are longer than in the wire's
	 * form. */
	if (size < 64)
		size = 64;
	column->u.text = malloc(size);
	if (!column->u.text)
		return RC_DOWN;
	bind->buffer_type = MYSQL_TYPE_STRING;
	bind->buffer = column->u.text;
	bind->buffer_length = size;
	return RC_OK;
}

/* Where mysql_stmt_fetch() puts the value. */
static int
column_bind(struct column *column, const MYSQL_FIELD *field, MYSQL_BIND *bind)
{
	bind->is_null = &column->null;
	bind->error = &column->cut;
	bind->length = &column->len;
	switch (column->type) {
	case COLUMN_INT:
	case COLUMN_FLAG:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &column->u.i;
		bind->is_unsigned = column->is_unsigned;
		return RC_OK;
	case COLUMN_TIME:
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &column->u.time;
		return RC_OK;
	default:
		return column_bind_text(column, field, bind);
	}
}

static int
bind_columns(struct prepared *p, MYSQL_RES *meta)
{
	const MYSQL_FIELD *fields = mysql_fetch_fields(meta);
	unsigned n = mysql_num_fields(meta);
	MYSQL_BIND *binds = calloc(n, sizeof(*binds));
	int rc = RC_DOWN;

	p->columns = calloc(n, sizeof(*p->columns));
	if (binds && p->columns) {
		p->ncolumns = n;
		rc = RC_OK;
	}
	for (unsigned i = 0; rc == RC_OK && i < n; i++) {
		rc = column_init(&p->columns[i], &fields[i]);
		if (rc == RC_OK)
			rc = column_bind(&p->columns[i], &fields[i],
			    &binds[i]);
	}
	if (rc == RC_OK && mysql_stmt_bind_result(p->stmt, binds))
		rc = RC_DOWN;
	free(binds);
	return rc;
}

static int
prepare_columns(struct prepared *p)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(p->stmt);
	int rc = RC_OK;

	if (meta) {
		rc = bind_columns(p, meta);
		mysql_free_result(meta);
	}
	return rc;
}

static struct prepared *
prepared_new(struct db *db, const struct db_stmt *st)
{
	struct prepared *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->name = strdup(st->name);
	p->sql = strdup(st->sql);
	p->stmt = mysql_stmt_init(db->link);
	p->repeatable = is_repeatable(st->sql);
	if (p->name && p->sql && p->stmt)
		return p;
	prepared_free(p);
	return NULL;
}

static int
prepare(struct db *db, struct run *run, struct prepared **out)
{
	struct prepared *p = prepared_new(db, run->st);

	if (!p) {
		blame(run, CR_OUT_OF_MEMORY, "HY000", "no memory");
		return RC_DOWN;
	}
	if (mysql_stmt_prepare(p->stmt, p->sql, strlen(p->sql))) {
		blame_stmt(run, p->stmt);
	} else if (prepare_columns(p) < 0) {
		blame(run, CR_OUT_OF_MEMORY, "HY000", "no memory");
	} else {
		*out = p;
		return RC_OK;
	}
	prepared_free(p);
	return RC_DOWN;
}

/* Makes room for one more by closing what was not used the longest. */
static void
evict(struct db *db)
{
	size_t oldest = 0;

	if (db->nprepared < STMTS_MAX)
		return;
	for (size_t i = 1; i < db->nprepared; i++) {
		if (db->prepared[i]->used < db->prepared[oldest]->used)
			oldest = i;
	}
	prepared_free(db->prepared[oldest]);
	db->prepared[oldest] = db->prepared[--db->nprepared];
}

static struct prepared *
find_prepared(const struct db *db, const struct db_stmt *st)
{
	for (size_t i = 0; i < db->nprepared; i++) {
		struct prepared *p = db->prepared[i];

		/* The text, too: some are put together from parts. */
		if (strcmp(p->name, st->name) == 0 &&
		    strcmp(p->sql, st->sql) == 0)
			return p;
	}
	return NULL;
}

static int
get_prepared(struct db *db, struct run *run)
{
	struct prepared *p = find_prepared(db, run->st);

	if (!p) {
		evict(db);
		if (prepare(db, run, &p) < 0)
			return RC_DOWN;
		db->prepared[db->nprepared++] = p;
	}
	p->used = ++db->clock;
	run->prepared = p;
	return RC_OK;
}

/* The library's interface lacks a const; it does not write there. */
static void *
unconst(const void *p)
{
	void *out;

	memcpy(&out, &p, sizeof(out));
	return out;
}

static void
bind_arg(MYSQL_BIND *bind, const struct db_arg *arg)
{
	*bind = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_NULL };
	switch (arg->type) {
	case DB_NULL:
		break;
	case DB_INT:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = unconst(&arg->i);
		break;
	case DB_TEXT:
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer = unconst(arg->s);
		bind->buffer_length = arg->len;
		break;
	}
}

static int
bind_args(struct req *req, struct run *run)
{
	MYSQL_STMT *stmt = run->prepared->stmt;
	MYSQL_BIND *binds;

	if (mysql_stmt_param_count(stmt) != run->nargs) {
		blame_us(run, "the number of arguments is wrong");
		return RC_BUG;
	}
	if (run->nargs == 0)
		return RC_OK;
	binds = arena_alloc(req->arena, run->nargs * sizeof(*binds));
	for (size_t i = 0; i < run->nargs; i++)
		bind_arg(&binds[i], &run->args[i]);
	if (mysql_stmt_bind_param(stmt, binds)) {
		blame_stmt(run, stmt);
		return RC_BUG;
	}
	return RC_OK;
}

/* Running a statement. */

static bool
is_lost(unsigned code)
{
	switch (code) {
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_SERVER_LOST_EXTENDED:
	case ER_CONNECTION_KILLED:
	case ER_SERVER_SHUTDOWN:
		return true;
	default:
		return false;
	}
}

/* The link is of no use any more: its state is unknown, or its server does
 * not take what we send. */
static bool
ends_link(unsigned code)
{
	return (code > CR_UNKNOWN_ERROR && code <= CR_MAX_ERROR) ||
	    is_lost(code) || code == ER_UNKNOWN_STMT_HANDLER ||
	    code == ER_UNKNOWN_COM_ERROR ||
	    code == ER_OPTION_PREVENTS_STATEMENT;
}

/* MariaDB or the way to it is at fault, not what was asked. */
static bool
is_down(unsigned code)
{
	switch (code) {
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case CR_OUT_OF_MEMORY:
	case CR_SSL_CONNECTION_ERROR:
	case ER_CON_COUNT_ERROR:
	case ER_OUT_OF_RESOURCES:
	case ER_DISK_FULL:
	case ER_RECORD_FILE_FULL:
	case ER_UNKNOWN_COM_ERROR:		/* Galera: not ready */
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
	case ER_MAX_PREPARED_STMT_COUNT_REACHED:
	case ER_OPTION_PREVENTS_STATEMENT:	/* read only */
	case ER_QUERY_INTERRUPTED:
	case ER_STATEMENT_TIMEOUT:
	case ER_QUERY_TIMEOUT_MYSQL:
	case ER_UNKNOWN_STMT_HANDLER:
		return true;
	default:
		return is_lost(code);
	}
}

static bool
is_contention(unsigned code)
{
	return code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT ||
	    code == ER_CHECKREAD;
}

/* A link to use, looked at first where it matters. */
static int
get_link(struct db *db, struct run *run)
{
	if (db->busy)
		link_close(db);		/* a jump left rows unread */
	if (db->link && !db->in_tx && !is_repeatable(run->st->sql) &&
	    hosts_hung_up(mysql_get_socket(db->link)))
		link_close(db);
	run->was_open = db->link != NULL;
	if (db->link)
		return RC_OK;
	if (db->in_tx) {
		blame(run, CR_SERVER_LOST, "HY000",
		    "the link was lost within the transaction");
		return RC_DOWN;
	}
	return link_open(db, run);
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
	rc = get_prepared(db, run);
	if (rc == RC_OK)
		rc = bind_args(req, run);
	if (rc == RC_OK) {
		run->sent = true;
		if (mysql_stmt_execute(run->prepared->stmt)) {
			blame_stmt(run, run->prepared->stmt);
			rc = RC_DOWN;
		}
	}
	if (rc < 0)
		db->busy = false;
	return rc;
}

static bool
may_repeat(const struct db *db, const struct run *run)
{
	int64_t spent = log_now() - run->begin;

	/* Past half of its time, a lost link may well be a deadline passed. */
	if (!run->was_open || db->in_tx ||
	    spent > db->conf->command_ms * INT64_C(1000) / 2)
		return false;
	if (run->code == ER_UNKNOWN_STMT_HANDLER)
		return true;		/* not run, by MariaDB's word */
	return is_lost(run->code) &&
	    (!run->sent || is_repeatable(run->st->sql));
}

static void
log_query(const struct run *run, int64_t rows)
{
	log_event(LOG_INFO, "db.query");
	log_str("name", run->st->name);
	log_int("rows", rows);
	log_int("us", log_now() - run->begin);
	if (run->code)
		log_int("error", run->code);
	log_end();
}

static void
log_failure(enum log_level level, const struct run *run)
{
	log_event(level, "db.error");
	log_str("name", run->st->name);
	log_int("error", run->code);
	log_str("state", run->state);
	log_str("msg", run->text);
	log_end();
}

static int
down(struct req *req)
{
	req->retry_after = RETRY_AFTER;
	return req_fail(req, RC_DOWN, "%s", _("The catalogue is not "
	    "available right now. Please try again in a moment."));
}

/* Says what became of a statement that failed. */
static int
failed(struct req *req, struct run *run)
{
	struct db *db = req->db;

	db->busy = false;
	log_query(run, 0);
	if (ends_link(run->code))
		link_close(db);
	if (run->code == ER_DUP_ENTRY)
		return RC_CONFLICT;	/* the caller has better words */
	if (db->in_tx && is_contention(run->code)) {
		log_failure(LOG_WARN, run);
		db->tx_again = true;
		return RC_DOWN;		/* db_tx() says so if it stays so */
	}
	log_failure(LOG_ERROR, run);
	if (!db->link || is_down(run->code) || is_contention(run->code))
		return down(req);
	return req_bug(req);
}

/* Sends the statement, if need be on a second link. */
static int
execute(struct req *req, struct run *run)
{
	struct db *db = req->db;
	int rc;

	req->db_count++;
	run->begin = log_now();
	/* The server has ended this transaction: what would come now would be
	 * outside of it. */
	if (db->tx_again && run->st != &TX_ROLLBACK)
		return RC_DOWN;
	rc = attempt(req, run);
	if (rc < 0 && may_repeat(db, run)) {
		log_failure(LOG_WARN, run);
		link_close(db);
		run->code = 0;
		rc = attempt(req, run);
	}
	return rc < 0 ? failed(req, run) : RC_OK;
}

/* Rows. */

static int
decimal_value(const char *s, size_t len, int64_t *out)
{
	bool negative = len > 0 && s[0] == '-';
	int64_t n = 0;

	for (size_t i = negative; i < len; i++) {
		if (s[i] == '.')
			continue;
		if (s[i] < '0' || s[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s[i] - '0', &n))
			return RC_BUG;
	}
	*out = negative ? -n : n;
	return RC_OK;
}

static char *
two_digits(char *out, unsigned n)
{
	out[0] = (char)('0' + n / 10 % 10);
	out[1] = (char)('0' + n % 10);
	return out + 2;
}

/* By hand: printf would take as long as the rest of the row. */
static json_t *
time_value(const MYSQL_TIME *t)
{
	char text[] = "0000-00-00T00:00:00Z";

	two_digits(two_digits(text, t->year / 100), t->year % 100);
	two_digits(text + 5, t->month);
	two_digits(text + 8, t->day);
	two_digits(text + 11, t->hour);
	two_digits(text + 14, t->minute);
	two_digits(text + 17, t->second);
	return json_stringn_nocheck(text, sizeof(text) - 1);
}

static int
whole_text(struct req *req, struct run *run, unsigned i, const char **out)
{
	struct column *column = &run->prepared->columns[i];
	my_bool null = 0, cut = 0;
	unsigned long len = 0;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_STRING,
	    .buffer_length = column->len, .length = &len, .is_null = &null,
	    .error = &cut };

	bind.buffer = arena_alloc(req->arena, column->len);
	if (mysql_stmt_fetch_column(run->prepared->stmt, &bind, i, 0)) {
		blame_stmt(run, run->prepared->stmt);
		return RC_BUG;
	}
	*out = bind.buffer;
	return RC_OK;
}

static json_t *
text_value(struct req *req, struct run *run, unsigned i)
{
	struct column *column = &run->prepared->columns[i];
	const char *text = column->u.text;
	json_t *value;

	if (column->cut && whole_text(req, run, i, &text) < 0)
		return NULL;
	if (column->type == COLUMN_TEXT)
		return json_stringn_nocheck(text, column->len);
	value = json_stringn(text, column->len);
	if (!value)
		blame_us(run, "binary data that is not UTF-8");
	return value;
}

static json_t *
int_value(struct run *run, const struct column *column)
{
	if (column->is_unsigned && column->u.i < 0) {
		blame_us(run, "an unsigned number above 2^63 - 1");
		return NULL;
	}
	return json_integer(column->u.i);
}

static json_t *
decimal_json(struct run *run, const struct column *column)
{
	int64_t n;

	if (column->cut ||
	    decimal_value(column->u.text, column->len, &n) < 0) {
		blame_us(run, "a DECIMAL above 2^63 - 1 minor units");
		return NULL;
	}
	return json_integer(n);
}

static json_t *
value_json(struct req *req, struct run *run, unsigned i)
{
	struct column *column = &run->prepared->columns[i];

	if (column->null)
		return json_null();
	switch (column->type) {
	case COLUMN_INT:
		return int_value(run, column);
	case COLUMN_FLAG:
		return json_boolean(column->u.i != 0);
	case COLUMN_DECIMAL:
		return decimal_json(run, column);
	case COLUMN_TIME:
		return time_value(&column->u.time);
	default:
		return text_value(req, run, i);
	}
}

static int
row_json(struct req *req, struct run *run, json_t **out)
{
	const struct prepared *p = run->prepared;
	json_t *row = json_object(), *value;

	for (unsigned i = 0; i < p->ncolumns; i++) {
		value = value_json(req, run, i);
		/* Refuses a NULL value, too. */
		if (json_object_setn_new_nocheck(row, p->columns[i].key,
		    p->columns[i].key_len, value) < 0) {
			json_decref(row);
			return RC_BUG;
		}
	}
	*out = row;
	return RC_OK;
}

/* The next row; RC_NOT_FOUND at the end. */
static int
next_row(struct req *req, struct run *run, json_t **row)
{
	MYSQL_STMT *stmt = run->prepared->stmt;

	switch (mysql_stmt_fetch(stmt)) {
	case 0:
	case MYSQL_DATA_TRUNCATED:	/* text_value() gets the whole */
		return row_json(req, run, row);
	case MYSQL_NO_DATA:
		return RC_NOT_FOUND;
	default:
		blame_fetch(run, req->db->link);
		return RC_DOWN;
	}
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

	while ((rc = next_row(req, run, &row)) == RC_OK) {
		if (json_array_size(list) == ROWS_MAX) {
			json_decref(row);
			blame_us(run, "more rows than any page can want");
			return RC_BUG;
		}
		json_array_append_new(list, row);
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static int
needs_columns(struct req *req, struct run *run)
{
	if (run->prepared->ncolumns > 0)
		return RC_OK;
	blame_us(run, "the statement gives no rows");
	return failed(req, run);
}

int
db_rows(struct req *req, const struct db_stmt *st, const struct db_arg *args,
    size_t nargs, json_t **rows)
{
	struct run run = { .st = st, .args = args, .nargs = nargs };
	json_t *list;
	int rc;

	rc = execute(req, &run);
	if (rc == RC_OK)
		rc = needs_columns(req, &run);
	if (rc < 0)
		return rc;
	list = json_array();
	rc = all_rows(req, &run, list);
	finish(req->db, &run);
	if (rc < 0) {
		json_decref(list);
		return failed(req, &run);
	}
	log_query(&run, (int64_t)json_array_size(list));
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

	rc = execute(req, &run);
	if (rc == RC_OK)
		rc = needs_columns(req, &run);
	if (rc < 0)
		return rc;
	rc = next_row(req, &run, &got);
	finish(req->db, &run);
	if (rc < 0 && rc != RC_NOT_FOUND)
		return failed(req, &run);
	log_query(&run, rc == RC_OK);
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
		blame_us(&run, "the statement gives rows");
		finish(req->db, &run);
		return failed(req, &run);
	}
	req->db->busy = false;
	changed = (int64_t)mysql_stmt_affected_rows(stmt);
	log_query(&run, changed);
	if (affected)
		*affected = changed;
	if (id)
		*id = (int64_t)mysql_stmt_insert_id(stmt);
	return RC_OK;
}

/* Transactions. */

/* A jump out of db_tx() left one open: with its link it is rolled back. */
static void
tx_end(void *arg)
{
	struct db *db = arg;

	if (db->in_tx)
		link_close(db);
	db->in_tx = db->tx_again = false;
}

static int
tx_simple(struct req *req, const struct db_stmt *st)
{
	return db_exec(req, st, DB_NO_ARGS, NULL, NULL);
}

/* Without a link there is nothing to roll back. */
static void
tx_rollback(struct req *req)
{
	struct db *db = req->db;

	if (!db->link)
		return;
	if (tx_simple(req, &TX_ROLLBACK) < 0)
		link_close(db);
}

/* One try.  *again: the server asks for another. */
static int
tx_try(struct req *req, int (*work)(struct req *, void *), void *arg,
    bool *again)
{
	struct db *db = req->db;
	int rc;

	*again = false;
	rc = tx_simple(req, &TX_BEGIN);
	if (rc < 0)
		return rc;
	db->in_tx = true;
	rc = work(req, arg);
	if (rc == RC_OK)
		rc = tx_simple(req, &TX_COMMIT);
	if (rc < 0)
		tx_rollback(req);
	*again = db->tx_again;
	db->in_tx = db->tx_again = false;
	return rc;
}

/* Those who met in a deadlock should not meet again. */
static void
tx_wait(int tries)
{
	uint32_t us = (uint32_t)TX_WAIT_US << tries;
	struct timespec t = { .tv_nsec = (us + secret_below(us)) * 1000L };

	nanosleep(&t, NULL);
}

int
db_tx(struct req *req, int (*work)(struct req *, void *), void *arg)
{
	enum rc code = req->fail_code;
	const char *text = req->fail_text;
	bool again;
	int rc;

	if (req->db->in_tx) {
		log_msg(LOG_ERROR, "db.error",
		    "a transaction within a transaction");
		return req_bug(req);
	}
	arena_defer(req->arena, tx_end, req->db);
	for (int tries = 0; tries < TX_TRIES; tries++) {
		if (tries > 0)
			tx_wait(tries - 1);
		/* What a try before this one said does not count any more. */
		req->fail_code = code;
		req->fail_text = text;
		rc = tx_try(req, work, arg, &again);
		if (!again)
			return rc;
	}
	log_msg(LOG_ERROR, "db.error", "%d tries met a lock", TX_TRIES);
	return down(req);
}

int
db_ping(struct req *req)
{
	json_t *row;

	return db_row(req, &PING, DB_NO_ARGS, &row);
}
