/* vitals -- see vitals.h. */
#include "vitals.h"

#include "cache.h"
#include "db.h"
#include "model.h"

/* Any account may read these. */
static const struct db_stmt STATUS = { "vitals.status",
	"SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value"
	" FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ("
	"'UPTIME', 'THREADS_CONNECTED', 'MAX_USED_CONNECTIONS',"
	" 'THREADS_RUNNING', 'SLOW_QUERIES', 'QUESTIONS',"
	" 'ABORTED_CONNECTS', 'INNODB_DEADLOCKS', 'INNODB_ROW_LOCK_WAITS',"
	" 'INNODB_BUFFER_POOL_BYTES_DATA', 'INNODB_BUFFER_POOL_READS',"
	" 'INNODB_BUFFER_POOL_READ_REQUESTS', 'INNODB_ROWS_READ',"
	" 'CREATED_TMP_DISK_TABLES', 'SLAVES_CONNECTED', 'SLAVES_RUNNING')"
	" UNION ALL SELECT 'VERSION', VERSION()"
	" UNION ALL SELECT 'CONNECTIONS_MAX', @@GLOBAL.max_connections"
	" UNION ALL SELECT 'POOL', @@GLOBAL.innodb_buffer_pool_size"
	" UNION ALL SELECT 'BINLOG', @@GLOBAL.log_bin"
	" UNION ALL SELECT 'MAY_ASK', COUNT(*)"
	" FROM information_schema.USER_PRIVILEGES"
	" WHERE PRIVILEGE_TYPE IN"
	" ('SLAVE MONITOR', 'REPLICA MONITOR', 'SUPER')" };
static const struct db_stmt REPLICA = { "vitals.replica",
	"SHOW ALL SLAVES STATUS" };
static const struct db_stmt ROWS = { "vitals.rows",
	"SELECT (SELECT COUNT(*) FROM users) AS users,"
	" (SELECT COUNT(*) FROM books WHERE withdrawn_at IS NULL) AS books" };
static const struct db_stmt TABLES = { "vitals.tables",
	"SELECT TABLE_NAME AS name, TABLE_ROWS AS row_count,"
	" DATA_LENGTH + INDEX_LENGTH AS bytes FROM information_schema.TABLES"
	" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"
	" ORDER BY bytes DESC, name LIMIT 100" };

/* --- MariaDB ------------------------------------------------------------ */

static int64_t
number_of(const char *text)
{
	return text ? strtoll(text, NULL, 10) : 0;
}

/* Its names, and ours. */
static const struct {
	const char *theirs, *ours;
} numbers[] = {
	{ "UPTIME", "uptime_s" },
	{ "THREADS_CONNECTED", "connections" },
	{ "CONNECTIONS_MAX", "connections_max" },
	{ "MAX_USED_CONNECTIONS", "connections_most" },
	{ "THREADS_RUNNING", "running" },
	{ "SLOW_QUERIES", "slow" },
	{ "QUESTIONS", "questions" },
	{ "ABORTED_CONNECTS", "aborted" },
	{ "INNODB_DEADLOCKS", "deadlocks" },
	{ "INNODB_ROW_LOCK_WAITS", "lock_waits" },
	{ "POOL", "pool_bytes" },
	{ "INNODB_BUFFER_POOL_BYTES_DATA", "pool_used_bytes" },
	{ "INNODB_BUFFER_POOL_READS", "pool_reads" },
	{ "INNODB_BUFFER_POOL_READ_REQUESTS", "pool_requests" },
	{ "INNODB_ROWS_READ", "rows_read" },
	{ "CREATED_TMP_DISK_TABLES", "tmp_disk" },
	{ "SLAVES_CONNECTED", "replicas" },
};

static const char *
value_named(const json_t *rows, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *theirs = model_text(row, "name");

		if (theirs && strcasecmp(theirs, name) == 0)
			return model_text(row, "value");
	}
	return NULL;
}

static bool
is_yes(const json_t *row, const char *name)
{
	const char *text = model_text(row, name);

	return text && strcmp(text, "Yes") == 0;
}

static json_t *
replica_of(const json_t *row)
{
	const json_t *lag = json_object_get(row, "Seconds_Behind_Master");
	const char *io = model_text(row, "Last_IO_Error");
	const char *sql = model_text(row, "Last_SQL_Error");
	const char *host = model_text(row, "Master_Host");

	return json_pack("{s:s, s:b, s:b, s:o, s:s}", "host", host ? host : "",
	    "io", is_yes(row, "Slave_IO_Running"), "sql",
	    is_yes(row, "Slave_SQL_Running"), "lag_s",
	    json_is_integer(lag) ? json_integer(json_integer_value(lag)) :
				   json_null(),
	    "error",
	    sql && *sql	  ? sql :
		io && *io ? io :
			    "");
}

static int
add_replica(struct req *req, json_t *db)
{
	json_t *rows;
	int rc;

	model_set(db, "replica", json_null());
	if (!json_is_true(json_object_get(db, "may_ask")))
		return RC_OK;
	rc = db_rows(req, &REPLICA, DB_NO_ARGS, &rows);
	if (rc == RC_OK && json_array_size(rows) > 0)
		model_set(db, "replica", replica_of(json_array_get(rows, 0)));
	return rc;
}

int
vitals_db(struct req *req, json_t **db)
{
	json_t *rows, *model;
	const char *version;
	int rc = db_rows(req, &STATUS, DB_NO_ARGS, &rows);

	if (rc < 0)
		return rc;
	model = json_object();
	version = value_named(rows, "VERSION");
	model_set_text(model, "version", version ? version : "");
	for (size_t i = 0; i < LENGTH(numbers); i++)
		model_set_int(model, numbers[i].ours,
		    number_of(value_named(rows, numbers[i].theirs)));
	model_set_bool(
	    model, "binlog", number_of(value_named(rows, "BINLOG")) > 0);
	model_set_bool(
	    model, "may_ask", number_of(value_named(rows, "MAY_ASK")) > 0);
	model_set_bool(model, "replicating",
	    number_of(value_named(rows, "SLAVES_RUNNING")) > 0);
	rc = add_replica(req, model);
	if (rc == RC_OK)
		*db = model;
	return rc;
}

int
vitals_rows(struct req *req, int64_t *users, int64_t *books)
{
	json_t *row;
	int rc = db_row(req, &ROWS, DB_NO_ARGS, &row);

	if (rc < 0)
		return rc;
	*users = model_int(row, "users");
	*books = model_int(row, "books");
	return RC_OK;
}

int
vitals_tables(struct req *req, json_t **tables)
{
	return db_rows(req, &TABLES, DB_NO_ARGS, tables);
}

/* --- Redis -------------------------------------------------------------- */

static const char *
info_text(struct req *req, const char *info, const char *name)
{
	const char *at = cache_info(info, name);

	return at ? arena_strndup(req->arena, at, strcspn(at, "\r\n")) : NULL;
}

static int64_t
info_int(struct req *req, const char *info, const char *name)
{
	return number_of(info_text(req, info, name));
}

/* The value of name=value in a list with commas. */
static const char *
part_text(struct req *req, const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *at = list;

	while (at) {
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			at += len + 1;
			return arena_strndup(req->arena, at, strcspn(at, ","));
		}
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return "";
}

static json_t *
replicas_of(struct req *req, const char *info)
{
	int64_t offset = info_int(req, info, "master_repl_offset");
	json_t *list = json_array();

	for (int i = 0; i < 32; i++) {
		const char *one = info_text(
		    req, info, arena_printf(req->arena, "slave%d", i));
		int64_t behind;

		if (!one)
			break;
		behind = offset - number_of(part_text(req, one, "offset"));
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:I, s:I}", "host",
			arena_printf(req->arena, "%s:%s",
			    part_text(req, one, "ip"),
			    part_text(req, one, "port")),
			"state", part_text(req, one, "state"), "lag_s",
			(json_int_t)number_of(part_text(req, one, "lag")),
			"behind", (json_int_t)(behind > 0 ? behind : 0)));
	}
	return list;
}

static json_t *
primary_of(struct req *req, const char *info)
{
	const char *host = info_text(req, info, "master_host");
	const char *link = info_text(req, info, "master_link_status");

	if (!host)
		return json_null();
	return json_pack("{s:s, s:b, s:I}", "host",
	    arena_printf(req->arena, "%s:%lld", host,
		(long long)info_int(req, info, "master_port")),
	    "up", link && strcmp(link, "up") == 0, "lag_s",
	    (json_int_t)info_int(req, info, "master_last_io_seconds_ago"));
}

static const struct {
	const char *theirs, *ours;
} facts[] = {
	{ "uptime_in_seconds", "uptime_s" },
	{ "connected_clients", "clients" },
	{ "blocked_clients", "blocked" },
	{ "used_memory", "memory" },
	{ "maxmemory", "memory_max" },
	{ "used_memory_peak", "memory_most" },
	{ "total_commands_processed", "commands" },
	{ "keyspace_hits", "hits" },
	{ "keyspace_misses", "misses" },
	{ "evicted_keys", "evicted" },
	{ "expired_keys", "expired" },
	{ "rejected_connections", "refused" },
	{ "instantaneous_ops_per_sec", "per_s" },
};

static int64_t
keys_of(struct req *req, const char *info)
{
	const char *db = info_text(
	    req, info, arena_printf(req->arena, "db%d", req->conf->redis_db));

	return db ? number_of(part_text(req, db, "keys")) : 0;
}

static json_t *
redis_model(struct req *req, const char *info)
{
	const char *version = info_text(req, info, "redis_version");
	const char *role = info_text(req, info, "role");
	const char *aof = info_text(req, info, "aof_last_write_status");
	json_t *model = json_object();

	for (size_t i = 0; i < LENGTH(facts); i++)
		model_set_int(
		    model, facts[i].ours, info_int(req, info, facts[i].theirs));
	model_set_text(model, "version", version ? version : "");
	model_set_text(model, "role", role ? role : "");
	model_set_bool(model, "aof", info_int(req, info, "aof_enabled") == 1);
	model_set_bool(model, "aof_ok", aof && strcmp(aof, "ok") == 0);
	model_set_int(model, "keys", keys_of(req, info));
	model_set(model, "replicas", replicas_of(req, info));
	model_set(model, "primary", primary_of(req, info));
	return model;
}

int
vitals_redis(struct req *req, json_t **redis)
{
	struct cache_reply *info;
	int rc = cache_command(req, &info, "INFO", NULL);

	if (rc < 0)
		return rc;
	*redis = redis_model(req, info->type == CACHE_TEXT ? info->s : "");
	return RC_OK;
}
