/*
 * seoga export -- writes the whole catalogue as CSV or MARCXML, page by page,
 * so that it takes the same memory for a hundred books and for a million.
 */
#include "export.h"

#include "bulk.h"
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#define PAGE_MAX ((size_t)256 * 1024 * 1024)

static const char usage[] =
    "usage: seoga export csv|marcxml [FILE]\n"
    "Writes all books that are not withdrawn to FILE, or else to standard\n"
    "output.  `seoga import` reads both forms; to bring them back into the\n"
    "same catalogue changes nothing.  FILE is replaced only when all is "
    "written.";

static const struct export_format *const formats[] = { &export_csv,
	&export_marcxml };

struct export
{
	struct req *req;
	const struct export_format *format;
	const char *file; /* NULL: standard output */
	const char *part; /* what is written until all is there */
	FILE *out;
	struct buf page;
	int64_t written, count;
	bool terminal;
};

static const struct export_format *
format_named(const char *name)
{
	for (size_t i = 0; i < LENGTH(formats); i++) {
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	}
	command_die("there is no format \"%s\": it is csv or marcxml", name);
}

static void
die_writing(const struct export *ex)
{
	int error = errno;

	if (ex->part)
		unlink(ex->part);
	command_die("cannot write %s: %s",
	    ex->file ? ex->file : "to standard output", strerror(error));
}

static void
write_page(struct export *ex)
{
	if (ex->page.over)
		command_die("a page of books is too long");
	if (ex->page.len > 0 &&
	    fwrite(ex->page.data, 1, ex->page.len, ex->out) != ex->page.len)
		die_writing(ex);
	buf_reset(&ex->page);
}

static void
show(const struct export *ex)
{
	if (ex->terminal)
		fprintf(stderr, "\r%lld of %lld books\033[K",
		    (long long)ex->written, (long long)ex->count);
}

/* The number of the last book on the page, 0 when there is none. */
static int64_t
add_page(struct export *ex, int64_t after)
{
	json_t *books, *book;
	int64_t last = 0;
	size_t i;

	if (bulk_page(ex->req, after, &books) < 0) {
		if (ex->part)
			unlink(ex->part);
		command_die_of(ex->req, "the books cannot be read");
	}
	json_array_foreach(books, i, book) {
		ex->format->book(&ex->page, book);
		last = model_int(book, "id");
	}
	ex->written += (int64_t)json_array_size(books);
	write_page(ex);
	show(ex);
	arena_reset(ex->req->arena);
	return last;
}

static void
open_output(struct export *ex)
{
	static char part[4096];

	ex->out = stdout;
	if (!ex->file)
		return;
	if ((size_t)snprintf(part, sizeof(part), "%s.part", ex->file) >=
	    sizeof(part))
		command_die("the name of the file is too long");
	ex->out = fopen(part, "we");
	if (!ex->out)
		die_writing(ex);
	ex->part = part;
}

static void
close_output(struct export *ex)
{
	if (fflush(ex->out) != 0 || (ex->file && fsync(fileno(ex->out)) != 0))
		die_writing(ex);
	if (!ex->file)
		return;
	if (fclose(ex->out) != 0 || rename(ex->part, ex->file) != 0)
		die_writing(ex);
}

static void
run(struct export *ex)
{
	int64_t last = 0;

	if (bulk_count(ex->req, &ex->count) < 0)
		command_die_of(ex->req, "the books cannot be read");
	open_output(ex);
	ex->format->begin(&ex->page);
	while ((last = add_page(ex, last)) > 0)
		;
	ex->format->end(&ex->page);
	write_page(ex);
	close_output(ex);
	if (ex->terminal)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%lld books\n", (long long)ex->written);
}

static void
read_options(int argc, char **argv, struct export *ex)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	int option = getopt_long(argc, argv, "", known, NULL);

	if (option == 'h') {
		puts(usage);
		exit(EXIT_SUCCESS);
	}
	if (option != -1 || argc - optind < 1 || argc - optind > 2)
		command_die("%s", usage);
	ex->format = format_named(argv[optind]);
	ex->file = argv[optind + 1]; /* NULL ends them */
}

int
main(int argc, char **argv)
{
	struct export ex = { .page = BUF_INIT(PAGE_MAX) };
	struct req req;

	command_begin("export");
	read_options(argc, argv, &ex);
	command_open(&req, "export", false);
	ex.req = &req;
	ex.terminal = isatty(STDERR_FILENO) && (ex.file || !isatty(1));
	run(&ex);
	buf_free(&ex.page);
	command_close(&req);
	return EXIT_SUCCESS;
}
