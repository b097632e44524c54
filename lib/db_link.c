/*
 * db_link -- connects to MariaDB, with deadlines, and hangs up.
 */
#include "db_internal.h"

#include "metric.h"

#define INIT_SIZE 400

static unsigned
whole_seconds(int ms)
{
	return (unsigned)(ms + 999) / 1000;
}

/*
 * What is said first on a new link.
 *
 * The server's own limit is a little shorter than ours, so that normally it
 * is the server that ends a slow statement, and the link survives.  A wait
 * for a row's lock ends before that, with an error that db_tx() retries.
 */
static void
write_init(const struct conf *conf, char out[INIT_SIZE])
{
	int limit = conf->command_ms - conf->command_ms / 20;
	int lock = limit > 2000 ? limit / 2000 : 1;

	snprintf(out, INIT_SIZE,
	    "SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
	    " time_zone = '+00:00', tx_isolation = 'READ-COMMITTED',"
	    " max_statement_time = %d.%03d, innodb_lock_wait_timeout = %d",
	    limit / 1000, limit % 1000, lock);
}

/* Not connected yet. */
static MYSQL *
link_new(const struct conf *conf)
{
	unsigned connect_s = whole_seconds(conf->connect_ms);
	unsigned command_s = whole_seconds(conf->command_ms);
	unsigned off = 0;
	char init[INIT_SIZE];
	MYSQL *link = mysql_init(NULL);

	if (!link)
		return NULL;
	write_init(conf, init);
	mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &command_s);
	mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &command_s);
	mysql_options(link, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(link, MYSQL_INIT_COMMAND, init);
	return link;
}

static int
link_open_at(struct db *db, const struct host *host, struct run *run)
{
	const struct conf *conf = db->conf;
	/* Else the library takes "localhost" for a socket. */
	enum mysql_protocol_type tcp = MYSQL_PROTOCOL_TCP;
	MYSQL *link = link_new(conf);

	if (!link) {
		db_blame_memory(run);
		return RC_DOWN;
	}
	if (host->port)
		mysql_options(link, MYSQL_OPT_PROTOCOL, &tcp);
	if (!mysql_real_connect(link, host->port ? host->name : NULL,
		conf->db_user, conf->db_password, conf->db_name,
		(unsigned)host->port, host->port ? NULL : host->name, 0)) {
		db_blame_link(run, link);
		mysql_close(link);
		return RC_DOWN;
	}
	db->link = link;
	return RC_OK;
}

int
db_link_open(struct db *db, struct run *run)
{
	for (size_t i = 0; i < db->hosts.n; i++) {
		if (link_open_at(db, hosts_at(&db->hosts, i), run) == RC_OK) {
			hosts_worked(&db->hosts, i);
			metric_add(METRIC_SQL_RECONNECTS, db->had_link);
			db->had_link = true;
			return RC_OK;
		}
		if (db->hosts.n > 1)
			log_msg(LOG_WARN, "db.lost", "%s", run->text);
	}
	return RC_DOWN;
}

void
db_link_close(struct db *db)
{
	/* First the link: its statements then close without a word to it. */
	if (db->link)
		mysql_close(db->link);
	db->link = NULL;
	db_stmt_forget_all(db);
	db->busy = false;
}
