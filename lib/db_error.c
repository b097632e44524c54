/*
 * db_error -- what went wrong with a statement, what kind of error that is,
 * and what is said about it.
 */
#include "db_internal.h"

#define RETRY_AFTER 5 /* seconds, for the reader of a 503 */

/* Errors of newer servers, which Debian's header does not know. */
#define ER_QUERY_TIMEOUT_MYSQL 3024

void
db_blame(struct run *run, unsigned code, const char *state, const char *text)
{
	run->code = code;
	snprintf(run->state, sizeof(run->state), "%s", state);
	snprintf(run->text, sizeof(run->text), "%s", text);
}

void
db_blame_link(struct run *run, MYSQL *link)
{
	db_blame(
	    run, mysql_errno(link), mysql_sqlstate(link), mysql_error(link));
}

void
db_blame_stmt(struct run *run, MYSQL_STMT *stmt)
{
	db_blame(run, mysql_stmt_errno(stmt), mysql_stmt_sqlstate(stmt),
	    mysql_stmt_error(stmt));
}

void
db_blame_memory(struct run *run)
{
	db_blame(run, CR_OUT_OF_MEMORY, "HY000", "no memory");
}

void
db_blame_us(struct run *run, const char *text)
{
	db_blame(run, CR_UNKNOWN_ERROR, "HY000", text);
}

bool
db_is_lost(unsigned code)
{
	switch (code) {
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_SERVER_LOST_EXTENDED:
	case CR_ERR_NET_WRITE: /* of several packets at once */
	case ER_CONNECTION_KILLED:
	case ER_SERVER_SHUTDOWN:
		return true;
	default:
		return false;
	}
}

bool
db_ends_link(unsigned code)
{
	return (code > CR_UNKNOWN_ERROR && code <= CR_MAX_ERROR) ||
	    db_is_lost(code) || code == ER_UNKNOWN_STMT_HANDLER ||
	    code == ER_UNKNOWN_COM_ERROR ||
	    code == ER_OPTION_PREVENTS_STATEMENT;
}

bool
db_is_down(unsigned code)
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
	case ER_UNKNOWN_COM_ERROR: /* Galera: not ready */
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
	case ER_MAX_PREPARED_STMT_COUNT_REACHED:
	case ER_OPTION_PREVENTS_STATEMENT: /* read only */
	case ER_QUERY_INTERRUPTED:
	case ER_STATEMENT_TIMEOUT:
	case ER_QUERY_TIMEOUT_MYSQL:
	case ER_UNKNOWN_STMT_HANDLER:
		return true;
	default:
		return db_is_lost(code);
	}
}

bool
db_is_broken(unsigned code)
{
	switch (code) {
	case CR_OUT_OF_MEMORY:
		return false;
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_STATEMENT_TIMEOUT:
	case ER_QUERY_TIMEOUT_MYSQL:
		return true;
	default:
		return (code > CR_UNKNOWN_ERROR && code <= CR_MAX_ERROR) ||
		    db_is_lost(code);
	}
}

bool
db_is_contention(unsigned code)
{
	return code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT ||
	    code == ER_CHECKREAD;
}

void
db_log_failure(enum log_level level, const struct run *run)
{
	log_event(level, "db.error");
	log_str("name", run->st->name);
	log_int("error", run->code);
	log_str("state", run->state);
	log_str("msg", run->text);
	log_end();
}

int
db_down(struct req *req)
{
	req->retry_after = RETRY_AFTER;
	return req_fail(req, RC_DOWN, "%s",
	    _("The catalogue is not "
	      "available right now. Please try again in a moment."));
}

int
db_refused(struct req *req)
{
	struct breaker_view view;
	int rc = db_down(req);

	breaker_look(req->db->breaker, &view);
	if (view.retry_after)
		req->retry_after = view.retry_after;
	log_event(LOG_INFO, "breaker.refused");
	log_str("backend", "mariadb");
	log_end();
	return rc;
}
