/*
 * seoga reindex -- makes search know all books as they are now; those that it
 * knows well already cost next to nothing.
 * seoga reindex --all forgets all first.
 */
#include "command.h"
#include "db.h"
#include "search.h"

#include <unistd.h>

static const struct db_stmt FORGET[] = {
	{ "reindex.forget_grams", "TRUNCATE TABLE book_grams" },
	{ "reindex.forget_words", "TRUNCATE TABLE book_search" },
};

static const char usage[] =
    "usage: seoga reindex [--all]\n"
    "Makes search know all books as they are now; --all forgets all first,\n"
    "so that less is found until it has ended.";

static void
forget_all(struct req *req)
{
	for (size_t i = 0; i < LENGTH(FORGET); i++)
		if (db_exec(req, &FORGET[i], DB_NO_ARGS, NULL, NULL) < 0)
			command_die_of(req, "search could not forget");
}

static size_t
index_all(struct req *req)
{
	struct search_progress progress = { 0 };
	size_t n = 0;

	do {
		if (search_index_next(req, &progress) < 0)
			command_die_of(req, "the books could not be indexed");
		n += progress.read;
		if (progress.read && n % 10000 == 0 && isatty(STDERR_FILENO))
			fprintf(stderr, "\r%zu books", n);
		arena_reset(req->arena);
	} while (progress.read > 0);
	if (isatty(STDERR_FILENO))
		fputc('\r', stderr);
	return n;
}

int
main(int argc, char **argv)
{
	bool all = argc == 2 && strcmp(argv[1], "--all") == 0;
	struct req req;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(usage);
		return EXIT_SUCCESS;
	}
	command_begin("reindex");
	if (argc > 1 && !all)
		command_die("%s", usage);
	command_open(&req, "reindex", true);
	if (all)
		forget_all(&req);
	printf("%zu books are known to search.\n", index_all(&req));
	command_close(&req);
	return EXIT_SUCCESS;
}
