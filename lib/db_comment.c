/*
 * db_comment -- comments that lead from MariaDB's own logs back to who asked:
 * the statement's name, the program, and for some requests the trace.
 *
 * A text with a trace is another one each time and has to be prepared anew,
 * which costs half as much again (bench/comments).  So there are so many a
 * second only: all of a site that somebody tries things out on, few under
 * load.  https://google.github.io/sqlcommenter/spec/ has the form.
 */
#include "db_internal.h"

#include "buf.h"

#define SECOND_US INT64_C(1000000)
#define TEXT_MAX ((size_t)1024 * 1024)

/* All of a request or nothing: what is half there misleads. */
static bool
decide(struct req *req, const struct run *run)
{
	struct db *db = req->db;

	if (!req->sampled || !req->prog)
		return false;
	if (run->begin - db->comments_since >= SECOND_US) {
		db->comments_since = run->begin;
		db->comments = 0;
	}
	return db->comments < req->conf->sql_comments;
}

bool
db_comment_wanted(struct req *req, const struct run *run)
{
	if (!req->commented)
		req->commented = decide(req, run) ? 1 : -1;
	if (req->commented < 0)
		return false;
	req->db->comments++;
	return true;
}

static void
add(struct buf *b, const char *key, const char *value)
{
	buf_str(b, key);
	buf_str(b, "='");
	buf_url(b, value, strlen(value));
	buf_char(b, '\'');
}

/* Keys in the order of the alphabet; a comment that is there stays alone. */
const char *
db_comment(struct req *req, const struct db_stmt *st, bool traced)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	const char *text = st->sql;

	if (strstr(st->sql, "/*"))
		return text;
	buf_str(&b, st->sql);
	add(&b, " /*action", st->name);
	if (req->prog)
		add(&b, ",route", req->prog);
	if (traced)
		add(&b, ",traceparent",
		    arena_printf(
			req->arena, "00-%s-%s-01", req->trace, req->span));
	buf_str(&b, "*/");
	if (!b.over)
		text = arena_strndup(req->arena, b.data, b.len);
	buf_free(&b);
	return text;
}
