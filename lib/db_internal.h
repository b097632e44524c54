/*
 * db_internal -- what the parts of db share: the link with its statements,
 * and one statement on its way.
 *
 *   db.c        runs a statement, on a second link if that is safe
 *   db_tx.c     transactions
 *   db_link.c   connects
 *   db_stmt.c   keeps the statements that are prepared on a link
 *   db_comment.c  the comments of statements: who asks, for whom
 *   db_rows.c   columns -> JSON
 *   db_error.c  what went wrong, and what follows from it
 */
#ifndef SEOGA_DB_INTERNAL_H
#define SEOGA_DB_INTERNAL_H

#include <mysql.h>

#include <errmsg.h>
#include <mysqld_error.h>

#include "breaker.h"
#include "db.h"
#include "hosts.h"
#include "log.h"

enum {
	DB_STMTS_MAX = 64, /* prepared at a time */
	DB_ROWS_MAX = 1000
};

struct db {
	const struct conf *conf;
	struct hosts hosts;
	struct breaker *breaker;
	struct breaker_call call; /* the statement on its way */
	MYSQL *link;		  /* NULL: not connected */
	struct prepared *prepared[DB_STMTS_MAX];
	size_t nprepared;
	struct told {
		uint64_t name;
		int64_t at;
	} told[128];		 /* texts of statements, in the log: when */
	struct prepared *single; /* the last one with a request's comment */
	int64_t comments_since;	 /* within a second from then on, */
	int comments;		 /* so many had one */
	uint64_t clock;
	bool had_link; /* what is opened now is not the first */
	bool busy;     /* between sending and the last row */
	bool in_tx;
	bool tx_again; /* rolled back by the server: retry */
};

/* One statement on its way. */
struct run {
	const struct db_stmt *st;
	const struct db_arg *args;
	size_t nargs;
	struct prepared *prepared;
	int64_t begin;
	bool was_open; /* the link, before the attempt */
	bool sent;     /* it may have been run */
	unsigned code; /* MariaDB's error number, 0 = none */
	char state[SQLSTATE_LENGTH + 1];
	char text[MYSQL_ERRMSG_SIZE];
};

/* --- db_link.c ---------------------------------------------------------- */

/* Connects to the first host that can be reached. */
int db_link_open(struct db *db, struct run *run);

/* With the link go its statements, and an open transaction. */
void db_link_close(struct db *db);

/* --- db_stmt.c ---------------------------------------------------------- */

struct prepared {
	char *name, *sql;
	MYSQL_STMT *stmt;
	struct column *columns;
	unsigned ncolumns; /* 0: it gives no rows */
	uint64_t used;	   /* when, by db->clock */
	int64_t told;	   /* its text, in the log: when; 0 = not yet */
};

/* Runs the statement, prepared before or now. */
int db_stmt_run(struct req *req, struct run *run);

/* Once in a while, writes the text into the log of a request whose trace is
 * kept: statement.h. */
void db_stmt_tell(const struct req *req, const struct run *run);

void db_stmt_forget_all(struct db *db);

/* --- db_comment.c ------------------------------------------------------- */

/* Shall this statement carry the trace of its request? */
bool db_comment_wanted(struct req *req, const struct run *run);

/* The text with a comment by the specification of sqlcommenter; traced: with
 * the trace, so that it is another text each time. */
const char *db_comment(struct req *req, const struct db_stmt *st, bool traced);

/* --- db_rows.c ---------------------------------------------------------- */

/* Makes room for a row of what was just prepared. */
int db_columns_bind(struct prepared *p);
void db_columns_free(struct column *columns, unsigned n);

/* The next row; RC_NOT_FOUND at the end. */
int db_next_row(struct req *req, struct run *run, json_t **row);

/* --- db_error.c --------------------------------------------------------- */

/* What went wrong, in the words of MariaDB or the link, or in ours. */
void
db_blame(struct run *run, unsigned code, const char *state, const char *text);
void db_blame_link(struct run *run, MYSQL *link);
void db_blame_stmt(struct run *run, MYSQL_STMT *stmt);
void db_blame_memory(struct run *run);
void db_blame_us(struct run *run, const char *text);

/* The link died, or its server is about to. */
bool db_is_lost(unsigned code);

/* The link is of no use any more: its state is unknown, or its server does
 * not take what we send. */
bool db_ends_link(unsigned code);

/* MariaDB or the way to it is at fault, not what was asked. */
bool db_is_down(unsigned code);

/* No answer came, or no way led there: what the breaker counts. */
bool db_is_broken(unsigned code);

/* Another transaction was in the way. */
bool db_is_contention(unsigned code);

void db_log_failure(enum log_level level, const struct run *run);

/* Tells the reader that MariaDB is away; gives RC_DOWN. */
int db_down(struct req *req);

/* The same, as it was not even asked. */
int db_refused(struct req *req);

#endif
