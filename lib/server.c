/* server -- see server.h. */
#include "server.h"

#include "cache.h"
#include "db.h"
#include "model.h"

/* All that the views of it show: there are hundreds more. */
static const struct db_stmt DB_STATUS = { "server.status",
	"SHOW GLOBAL STATUS WHERE Variable_name IN ('Aborted_connects',"
	" 'Created_tmp_disk_tables', 'Innodb_buffer_pool_pages_data',"
	" 'Innodb_buffer_pool_pages_total',"
	" 'Innodb_buffer_pool_read_requests', 'Innodb_buffer_pool_reads',"
	" 'Innodb_deadlocks', 'Innodb_row_lock_waits', 'Questions',"
	" 'Slow_queries', 'Threads_connected', 'Threads_running', 'Uptime')" };
static const struct db_stmt DB_TABLES = { "server.tables",
	"SELECT TABLE_NAME AS name, TABLE_ROWS AS row_count,"
	" DATA_LENGTH + INDEX_LENGTH AS bytes FROM information_schema.TABLES"
	" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
	" ORDER BY bytes DESC, name LIMIT 100" };

int
server_db(struct req *req, json_t **figures)
{
	json_t *rows, *row, *found;
	size_t i;
	int rc = db_rows(req, &DB_STATUS, DB_NO_ARGS, &rows);

	if (rc < 0)
		return rc;
	found = json_object();
	json_array_foreach(rows, i, row) {
		const char *name = model_text(row, "Variable_name");
		const char *value = model_text(row, "Value");

		if (name && value)
			model_set_int(found, name, strtoll(value, NULL, 10));
	}
	*figures = found;
	return RC_OK;
}

int
server_tables(struct req *req, json_t **tables)
{
	return db_rows(req, &DB_TABLES, DB_NO_ARGS, tables);
}

/* "name:value" */
static void
take_line(json_t *found, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	size_t size, name;
	char *end;
	long long n;

	if (!colon)
		return;
	name = (size_t)(colon - line);
	value = colon + 1;
	size = len - name - 1;
	n = strtoll(value, &end, 10);
	if (size == 2 && memcmp(value, "ok", 2) == 0)
		n = 1;
	else if (size == 3 && memcmp(value, "err", 3) == 0)
		n = 0;
	else if (size == 0 || end != value + size)
		return;
	json_object_setn_new_nocheck(found, line, name, json_integer(n));
}

int
server_redis(struct req *req, json_t **figures)
{
	struct cache_reply **replies;
	json_t *found;
	int rc;

	cache_queue(req, "INFO", NULL);
	cache_queue(req, "DBSIZE", NULL);
	rc = cache_run(req, &replies);
	if (rc < 0)
		return rc;
	found = json_object();
	if (replies[0]->type == CACHE_TEXT) {
		const char *at = replies[0]->s;

		for (const char *end; (end = strchr(at, '\r')); at = end + 1) {
			at += *at == '\n';
			take_line(found, at, (size_t)(end - at));
		}
	}
	if (replies[1]->type == CACHE_INT)
		model_set_int(found, "keys", replies[1]->i);
	*figures = found;
	return RC_OK;
}
