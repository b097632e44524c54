/*
 * floor -- the backend work of a signed-in book list page and nothing else:
 * no HTTP, no FastCGI, no template.  What is left is what any program that
 * shows this page must pay, in whatever language.
 *
 * Each of N processes repeats for some seconds: one Redis pipeline (HGETALL
 * session, TTL session, HLEN cart, GET categories), then one prepared SELECT
 * of 21 books, every column of every row fetched.
 *
 *	bench/floor PROCESSES SECONDS SESSION_KEY CART_KEY
 *
 * Servers and account come from the environment, as `seoga env` prints it.
 * Prints the number of repetitions and the nanoseconds of CPU that the
 * processes took, as JSON.
 */
#include <mysql.h>

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 4
#define ROWS 21
#define COLUMNS 12
#define TEXT_MAX 1024

/* As lib/book.c puts it together for the first page by title. */
static const char list_sql[] =
    "SELECT id, title, author, publisher, published_year, isbn13, language,"
    " price, stock_quantity, category_id, image_url, created_at"
    " FROM books FORCE INDEX (by_title) WHERE TRUE ORDER BY title, id"
    " LIMIT ?";

struct column {
	char text[TEXT_MAX];
	unsigned long len;
	my_bool null;
};

struct floor {
	MYSQL *link;
	MYSQL_STMT *list;
	struct column columns[COLUMNS];
	redisContext *redis;
	const char *session_key, *cart_key;
};

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("floor: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(EXIT_FAILURE);
}

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value)
		die("%s is not set; run this through bench/run", name);
	return value;
}

static void
read_password(char *out, size_t size)
{
	FILE *f = fopen(setting("SEOGA_DB_PASSWORD_FILE"), "re");

	if (!f || !fgets(out, (int)size, f))
		die("cannot read the file of SEOGA_DB_PASSWORD_FILE");
	fclose(f);
	out[strcspn(out, "\n")] = '\0';
}

static void
open_list(struct floor *f)
{
	static int limit = ROWS;
	MYSQL_BIND arg = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &limit };
	MYSQL_BIND binds[COLUMNS];

	f->list = mysql_stmt_init(f->link);
	if (!f->list ||
	    mysql_stmt_prepare(f->list, list_sql, sizeof(list_sql) - 1) ||
	    mysql_stmt_bind_param(f->list, &arg))
		die("MariaDB: %s", mysql_error(f->link));
	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < COLUMNS; i++) {
		binds[i].buffer_type = MYSQL_TYPE_STRING;
		binds[i].buffer = f->columns[i].text;
		binds[i].buffer_length = TEXT_MAX;
		binds[i].length = &f->columns[i].len;
		binds[i].is_null = &f->columns[i].null;
	}
	if (mysql_stmt_bind_result(f->list, binds))
		die("MariaDB: %s", mysql_stmt_error(f->list));
}

static void
open_mariadb(struct floor *f)
{
	char password[200];

	read_password(password, sizeof(password));
	f->link = mysql_init(NULL);
	if (!f->link)
		die("no memory");
	mysql_options(f->link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(f->link, NULL, setting("SEOGA_DB_USER"),
		password, setting("SEOGA_DB_NAME"), 0,
		setting("SEOGA_DB_HOSTS"), 0))
		die("MariaDB: %s", mysql_error(f->link));
	open_list(f);
}

static void
open_redis(struct floor *f)
{
	f->redis = redisConnectUnix(setting("SEOGA_REDIS_HOSTS"));
	if (!f->redis || f->redis->err)
		die("Redis: %s", f->redis ? f->redis->errstr : "no memory");
}

static void
ask_redis(struct floor *f)
{
	void *reply;

	redisAppendCommand(f->redis, "HGETALL %s", f->session_key);
	redisAppendCommand(f->redis, "TTL %s", f->session_key);
	redisAppendCommand(f->redis, "HLEN %s", f->cart_key);
	redisAppendCommand(f->redis, "GET cache:categories:ko");
	for (int i = 0; i < COMMANDS; i++) {
		if (redisGetReply(f->redis, &reply) != REDIS_OK)
			die("Redis: %s", f->redis->errstr);
		freeReplyObject(reply);
	}
}

static void
ask_mariadb(struct floor *f)
{
	int rows = 0, rc;

	if (mysql_stmt_execute(f->list))
		die("MariaDB: %s", mysql_stmt_error(f->list));
	while (
	    (rc = mysql_stmt_fetch(f->list)) == 0 || rc == MYSQL_DATA_TRUNCATED)
		rows++;
	mysql_stmt_free_result(f->list);
	if (rows != ROWS)
		die("the catalogue gave %d rows instead of %d", rows, ROWS);
}

static int64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What one process did, handed to the parent through a pipe. */
struct result {
	int64_t count, cpu_ns;
};

static struct result
repeat(struct floor *f, int seconds)
{
	int64_t end, cpu;
	struct result r = { 0 };

	end = now_ns(CLOCK_MONOTONIC) + seconds * INT64_C(1000000000);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (now_ns(CLOCK_MONOTONIC) < end) {
		ask_redis(f);
		ask_mariadb(f);
		r.count++;
	}
	r.cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return r;
}

static void
be_child(int out, int seconds, char **keys)
{
	struct floor f = { .session_key = keys[0], .cart_key = keys[1] };
	struct result r;

	open_mariadb(&f);
	open_redis(&f);
	r = repeat(&f, seconds);
	if (write(out, &r, sizeof(r)) != (ssize_t)sizeof(r))
		die("the pipe is closed");
	mysql_stmt_close(f.list);
	mysql_close(f.link);
	redisFree(f.redis);
}

int
main(int argc, char **argv)
{
	int processes = argc == 5 ? atoi(argv[1]) : 0;
	int seconds = argc == 5 ? atoi(argv[2]) : 0;
	struct result all = { 0 }, one;
	int ends[2];

	if (processes < 1 || processes > 64 || seconds < 1)
		die("usage: floor PROCESSES SECONDS SESSION_KEY CART_KEY");
	if (pipe(ends) < 0)
		die("no pipe");
	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			be_child(ends[1], seconds, argv + 3);
			return EXIT_SUCCESS;
		}
	}
	for (int i = 0; i < processes; i++) {
		int status;

		wait(&status);
		if (status != 0 ||
		    read(ends[0], &one, sizeof(one)) != (ssize_t)sizeof(one))
			die("a process failed");
		all.count += one.count;
		all.cpu_ns += one.cpu_ns;
	}
	printf("{\"count\":%lld,\"cpu_ns\":%lld}\n", (long long)all.count,
	    (long long)all.cpu_ns);
	return EXIT_SUCCESS;
}
