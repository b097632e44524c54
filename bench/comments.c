/*
 * comments -- what a comment that differs each time costs a statement: one
 * that is kept prepared, against one that is prepared and run in one trip.
 *
 *	bench/comments SOCKET [N]
 *
 * CPU of this process and of MariaDB, in microseconds a statement.
 */
#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static MYSQL *db;

static void
die(const char *what)
{
	fprintf(stderr, "comments: %s\n", what);
	exit(EXIT_FAILURE);
}

static double
own_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* All threads of the server, from its clock. */
static double
server_us(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) != 0)
		return 0;
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static pid_t
server_pid(void)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(
		mysql_get_socket(db), SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		die("who is the server?");
	return peer.pid;
}

static void
query(const char *sql)
{
	if (mysql_query(db, sql))
		die(mysql_error(db));
}

static void
bind_id(MYSQL_STMT *stmt, long long *id)
{
	MYSQL_BIND arg = { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = id };

	if (mysql_stmt_bind_param(stmt, &arg))
		die(mysql_stmt_error(stmt));
}

static void
read_rows(MYSQL_STMT *stmt)
{
	static char text[256];
	MYSQL_BIND column = { .buffer_type = MYSQL_TYPE_STRING,
		.buffer = text,
		.buffer_length = sizeof(text) };

	if (mysql_stmt_bind_result(stmt, &column))
		die(mysql_stmt_error(stmt));
	while (mysql_stmt_fetch(stmt) == 0)
		;
	mysql_stmt_free_result(stmt);
}

static const char sql[] = "SELECT title FROM comments_bench WHERE id = ?";

static void
kept(int n)
{
	MYSQL_STMT *stmt = mysql_stmt_init(db);
	long long id = 1;

	if (mysql_stmt_prepare(stmt, sql, sizeof(sql) - 1))
		die(mysql_stmt_error(stmt));
	for (int i = 0; i < n; i++) {
		id = 1 + i % 1000;
		bind_id(stmt, &id);
		if (mysql_stmt_execute(stmt))
			die(mysql_stmt_error(stmt));
		read_rows(stmt);
	}
	mysql_stmt_close(stmt);
}

static void
commented(int n)
{
	char text[300];
	long long id = 1;

	for (int i = 0; i < n; i++) {
		MYSQL_STMT *stmt = mysql_stmt_init(db);
		unsigned params = 1;
		int len = snprintf(text, sizeof(text),
		    "%s /*route='book',traceparent='00-%032x-%016x-01'*/", sql,
		    i, i);

		id = 1 + i % 1000;
		mysql_stmt_attr_set(stmt, STMT_ATTR_PREBIND_PARAMS, &params);
		bind_id(stmt, &id);
		if (mariadb_stmt_execute_direct(stmt, text, (size_t)len))
			die(mysql_stmt_error(stmt));
		read_rows(stmt);
		mysql_stmt_close(stmt);
	}
}

static void
measure(const char *name, void (*run)(int n), int n)
{
	pid_t pid = server_pid();
	double own, server;

	run(n / 10);
	own = own_us();
	server = server_us(pid);
	run(n);
	printf("%-10s %8.1f %8.1f\n", name, (own_us() - own) / n,
	    (server_us(pid) - server) / n);
}

int
main(int argc, char **argv)
{
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20000;

	if (argc < 2 || n < 10)
		die("usage: bench/comments SOCKET [N]");
	db = mysql_init(NULL);
	if (!mysql_real_connect(db, NULL, "root", "", "test", 0, argv[1], 0) &&
	    !mysql_real_connect(db, NULL, "root", "", NULL, 0, argv[1], 0))
		die(mysql_error(db));
	query("CREATE DATABASE IF NOT EXISTS comments_bench");
	query("USE comments_bench");
	query("CREATE OR REPLACE TABLE comments_bench"
	      " (id BIGINT PRIMARY KEY, title VARCHAR(200))"
	      " SELECT seq AS id, 'A title of some length' AS title"
	      " FROM seq_1_to_1000");
	puts("              own  MariaDB");
	for (int i = 0; i < 2; i++) {
		measure("kept", kept, n);
		measure("commented", commented, n);
	}
	query("DROP DATABASE comments_bench");
	mysql_close(db);
	return EXIT_SUCCESS;
}
