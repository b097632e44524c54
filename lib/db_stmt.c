/*
 * db_stmt -- keeps the statements that are prepared on the link, and gives
 * them their arguments.
 */
#include "db_internal.h"

#define TELL_AGAIN_US (INT64_C(600) * 1000000)
#define TELL_MAX 4000 /* bytes of a text */

static void
prepared_free(struct prepared *p)
{
	if (p->stmt)
		mysql_stmt_close(p->stmt);
	db_columns_free(p->columns, p->ncolumns);
	free(p->name);
	free(p->sql);
	free(p);
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
	if (p->name && p->sql && p->stmt)
		return p;
	prepared_free(p);
	return NULL;
}

static int
prepare(struct req *req, struct run *run, struct prepared **out)
{
	struct prepared *p = prepared_new(req->db, run->st);
	const char *text = db_comment(req, run->st, false);

	if (!p) {
		db_blame_memory(run);
		return RC_DOWN;
	}
	if (mysql_stmt_prepare(p->stmt, text, strlen(text))) {
		db_blame_stmt(run, p->stmt);
	} else if (db_columns_bind(p) < 0) {
		db_blame_memory(run);
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

	if (db->nprepared < DB_STMTS_MAX)
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

/* Finds run->prepared, or prepares it. */
static int
get(struct req *req, struct run *run)
{
	struct db *db = req->db;
	struct prepared *p = find_prepared(db, run->st);

	if (!p) {
		evict(db);
		if (prepare(req, run, &p) < 0)
			return RC_DOWN;
		db->prepared[db->nprepared++] = p;
	}
	p->used = ++db->clock;
	run->prepared = p;
	return RC_OK;
}

/* Not in the middle of a character. */
static size_t
told_length(const char *sql, size_t len)
{
	if (len <= TELL_MAX)
		return len;
	len = TELL_MAX;
	while (len > 0 && ((unsigned char)sql[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* When it was told: one that is prepared for a single time is known by
 * its name (FNV-1a). */
static int64_t *
told_at(struct db *db, const struct run *run)
{
	uint64_t name = UINT64_C(0xcbf29ce484222325);
	struct told *told;

	if (run->prepared != db->single)
		return &run->prepared->told;
	for (const char *p = run->st->name; *p; p++)
		name = (name ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	told = &db->told[name % LENGTH(db->told)];
	if (told->name != name)
		*told = (struct told){ .name = name };
	return &told->at;
}

void
db_stmt_tell(const struct req *req, const struct run *run)
{
	size_t len, told;
	int64_t *at;

	if (!req->sampled)
		return;
	at = told_at(req->db, run);
	if (*at && run->begin - *at < TELL_AGAIN_US)
		return;
	*at = run->begin;
	len = strlen(run->st->sql);
	told = told_length(run->st->sql, len);
	log_event(LOG_INFO, "db.statement");
	log_str("name", run->st->name);
	log_strn("sql", run->st->sql, told);
	if (told < len)
		log_int("bytes", (int64_t)len);
	log_end();
}

static void
forget_single(struct db *db)
{
	if (db->single)
		prepared_free(db->single);
	db->single = NULL;
}

void
db_stmt_forget_all(struct db *db)
{
	for (size_t i = 0; i < db->nprepared; i++)
		prepared_free(db->prepared[i]);
	db->nprepared = 0;
	forget_single(db);
}

/* Arguments. */

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
		db_blame_us(run, "the number of arguments is wrong");
		return RC_BUG;
	}
	if (run->nargs == 0)
		return RC_OK;
	binds = arena_alloc(req->arena, run->nargs * sizeof(*binds));
	for (size_t i = 0; i < run->nargs; i++)
		bind_arg(&binds[i], &run->args[i]);
	if (mysql_stmt_bind_param(stmt, binds)) {
		db_blame_stmt(run, stmt);
		return RC_BUG;
	}
	return RC_OK;
}

/* Running. */

static int
run_kept(struct req *req, struct run *run)
{
	int rc = get(req, run);

	if (rc == RC_OK)
		rc = bind_args(req, run);
	if (rc < 0)
		return rc;
	run->sent = true;
	if (mysql_stmt_execute(run->prepared->stmt) == 0)
		return RC_OK;
	db_blame_stmt(run, run->prepared->stmt);
	return RC_DOWN;
}

/* Prepared and run in one trip; forgotten when the next one comes, as its rows
 * have yet to be read. */
static int
run_single(struct req *req, struct run *run)
{
	const char *text = db_comment(req, run->st, true);
	struct prepared *p = prepared_new(req->db, run->st);
	unsigned nargs = (unsigned)run->nargs;
	int rc;

	forget_single(req->db);
	if (!p) {
		db_blame_memory(run);
		return RC_DOWN;
	}
	req->db->single = run->prepared = p;
	mysql_stmt_attr_set(p->stmt, STMT_ATTR_PREBIND_PARAMS, &nargs);
	rc = bind_args(req, run);
	if (rc < 0)
		return rc;
	run->sent = true;
	if (mariadb_stmt_execute_direct(p->stmt, text, strlen(text))) {
		db_blame_stmt(run, p->stmt);
		return RC_DOWN;
	}
	if (db_columns_bind(p) == RC_OK)
		return RC_OK;
	db_blame_memory(run);
	db_link_close(req->db); /* its rows are on their way */
	return RC_DOWN;
}

int
db_stmt_run(struct req *req, struct run *run)
{
	return db_comment_wanted(req, run) ? run_single(req, run) :
					     run_kept(req, run);
}
