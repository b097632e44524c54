/*
 * seoga migrate -- brings the database up to date: runs the sql/NNN-*.sql
 * that it has not had yet, in order, each recorded, all under a lock.
 * seoga migrate --sample also loads the sample catalogue.
 */
#include "buf.h"
#include "command.h"
#include "db.h"
#include "search.h"
#include "secret.h"

#include <dirent.h>
#include <errno.h>

#define LOCK_S 60
#define FILE_MAX ((size_t)64 * 1024 * 1024)

static const struct db_stmt LOCK = { "migrate.lock",
	"SELECT GET_LOCK('seoga-migrate', ?) AS got" };
static const struct db_stmt UNLOCK = { "migrate.unlock",
	"SELECT RELEASE_LOCK('seoga-migrate') AS released" };
static const struct db_stmt MAKE_TABLE = { "migrate.table",
	"CREATE TABLE IF NOT EXISTS migrations ("
	" name VARCHAR(100) NOT NULL PRIMARY KEY,"
	" digest CHAR(32) NOT NULL,"
	" applied_at DATETIME NOT NULL DEFAULT UTC_TIMESTAMP())"
	" ENGINE = InnoDB DEFAULT CHARSET = utf8mb4" };
static const struct db_stmt DONE = { "migrate.done",
	"SELECT digest FROM migrations WHERE name = ?" };
static const struct db_stmt INDEXED = { "migrate.indexed",
	"SELECT book_id FROM book_search LIMIT 1" };
static const struct db_stmt RECORD = { "migrate.record",
	"INSERT INTO migrations (name, digest) VALUES (?, ?)" };

static void
run(struct req *req, const char *name, int number, const char *sql)
{
	const struct db_stmt st = {
		arena_printf(req->arena, "%s.%d", name, number), sql
	};

	if (db_exec(req, &st, DB_NO_ARGS, NULL, NULL) < 0)
		command_die("%s: statement %d failed; nothing after it was"
			    " run. It begins: %.60s",
		    name, number, sql);
}

static char *
read_file(struct req *req, const char *path)
{
	struct buf b = BUF_INIT(FILE_MAX);
	char part[65536], *text;
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		command_die("cannot read %s: %s", path, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(&b, part, n);
	fclose(f);
	text = arena_strndup(req->arena, b.data ? b.data : "", b.len);
	buf_free(&b);
	return text;
}

/* A statement ends with a semicolon at the end of a line. */
static void
run_file(struct req *req, const char *name, char *text)
{
	int number = 0;
	char *end;

	while (*(text += strspn(text, " \t\r\n"))) {
		end = strstr(text, ";\n");
		if (end)
			*end = '\0';
		run(req, name, ++number, text);
		if (!end)
			return;
		text = end + 2;
	}
}

/* Comment lines before and between statements are not statements. */
static void
drop_comment_lines(char *text)
{
	char *out = text;

	while (*text) {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		if (strncmp(text, "--", 2) != 0) {
			memmove(out, text, len);
			out += len;
		}
		text += len;
	}
	*out = '\0';
}

/* Has it been run?  A migration is never edited once it has. */
static bool
is_done(struct req *req, const char *name, const char *digest)
{
	json_t *row;
	int rc = db_row(req, &DONE, DB_ARGS(db_text(name)), &row);

	if (rc == RC_NOT_FOUND)
		return false;
	if (rc < 0)
		command_die_of(req, "cannot read the list of migrations");
	if (strcmp(json_string_value(json_object_get(row, "digest")), digest) !=
	    0)
		command_die("%s was changed after it had been run here; undo"
			    " that and add a new file instead",
		    name);
	return true;
}

static void
migrate(struct req *req, const char *name)
{
	char digest[SECRET_TOKEN_SIZE];
	char *text = read_file(
	    req, arena_printf(req->arena, "%s/%s", req->conf->sql_dir, name));

	secret_mac("", "migration", text, digest);
	if (is_done(req, name, digest))
		return;
	drop_comment_lines(text);
	run_file(req, name, text);
	if (db_exec(req, &RECORD, DB_ARGS(db_text(name), db_text(digest)), NULL,
		NULL) < 0)
		command_die("%s was run but could not be recorded", name);
	printf("%s\n", name);
}

static int
is_migration(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t len = strlen(name);

	return strspn(name, "0123456789") == 3 && name[3] == '-' && len > 8 &&
	    strcmp(name + len - 4, ".sql") == 0;
}

static void
migrate_all(struct req *req)
{
	struct dirent **files;
	int n = scandir(req->conf->sql_dir, &files, is_migration, alphasort);

	if (n <= 0)
		command_die(
		    "there are no migrations in %s", req->conf->sql_dir);
	for (int i = 0; i < n; i++) {
		migrate(req, files[i]->d_name);
		free(files[i]);
	}
	free(files);
}

static void
load_sample(struct req *req)
{
	char *text = read_file(
	    req, arena_printf(req->arena, "%s/sample.sql", req->conf->sql_dir));

	drop_comment_lines(text);
	run_file(req, "sample.sql", text);
	printf("sample.sql\n");
}

/* New books, and with a new index all books, are made known to search.  Last,
 * for it forgets all else that is in memory. */
static void
index_books(struct req *req)
{
	struct search_progress progress = { 0 };

	do {
		if (search_index_next(req, &progress) < 0)
			command_die_of(req,
			    "the books could not be indexed;"
			    " try seoga reindex");
		arena_reset(req->arena);
	} while (progress.read > 0);
}

static bool
is_index_new(struct req *req)
{
	json_t *row;

	return db_row(req, &INDEXED, DB_NO_ARGS, &row) == RC_NOT_FOUND;
}

static const char usage[] =
    "usage: seoga migrate [--sample]\n"
    "Runs the migrations that this database has not had yet and names them;\n"
    "--sample also loads the sample catalogue.";

int
main(int argc, char **argv)
{
	bool sample = argc == 2 && strcmp(argv[1], "--sample") == 0;
	struct req req;
	json_t *row;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage);
		return EXIT_SUCCESS;
	}
	command_begin("migrate");
	if (argc > 1 && !sample)
		command_die("%s", usage);
	command_open(&req, "migrate", true);
	if (db_row(&req, &LOCK, DB_ARGS(db_int(LOCK_S)), &row) < 0)
		command_die_of(&req, "MariaDB is away");
	if (json_integer_value(json_object_get(row, "got")) != 1)
		command_die(
		    "another migration has been running for %d s", LOCK_S);
	if (db_exec(&req, &MAKE_TABLE, DB_NO_ARGS, NULL, NULL) < 0)
		command_die_of(&req, "cannot make the list of migrations");
	migrate_all(&req);
	if (sample)
		load_sample(&req);
	if (sample || is_index_new(&req))
		index_books(&req);
	if (db_row(&req, &UNLOCK, DB_NO_ARGS, &row) < 0)
		command_die_of(&req, "the lock could not be given back");
	command_close(&req);
	return EXIT_SUCCESS;
}
