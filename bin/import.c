/*
 * seoga import -- takes books from a file into the catalogue: CSV, MARC 21
 * and KORMARC (ISO 2709), MARCXML.  Without --apply it only says what it
 * would do.  doc/import.md is for those who use it.
 *
 * There is no checkpoint: what is in already is known by its source id or its
 * ISBN and left as it is, so an import that was cut short is begun again.
 */
#include "import_marc.h"

#include "audit.h"
#include "command.h"
#include "db.h"
#include "log.h"
#include "model.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGES_SHOWN 50
#define TRIES 6 /* while MariaDB is away: 1 + 2 + 4 + 8 + 16 seconds */
#define DRAW_US 100000
#define BAR 30
#define PIPED 1000 /* records */
#define MEMORY ((size_t)32 * 1024 * 1024)
#define NOTE_MAX 190 /* bytes of a file's name */
#define REFUSED_STATUS 3

volatile sig_atomic_t import_stopped;

static const char usage[] =
    "usage: seoga import FILE [--apply] [OPTION...]\n"
    "Takes the books of a CSV, MARC 21, KORMARC or MARCXML file into the\n"
    "catalogue.  Without --apply it only says what it would do.  FILE may be\n"
    "- for standard input.  Doing it again changes nothing more.\n"
    "\n"
    "  seoga import books.csv                  what would come of it?\n"
    "  seoga import books.csv --apply          do it\n"
    "\n"
    "  --apply               write; --dry-run, as it is without, only looks\n"
    "  --changes             tell each change of a book that is there already\n"
    "  --all-messages        all of them, not only the first 50\n"
    "  --format FORMAT       csv, marc or marcxml; found out otherwise\n"
    "  --charset NAME        utf-8, cp949, euc-kr, marc-8; CSV is UTF-8\n"
    "                        otherwise, and of MARC it is found out\n"
    "  --source NAME         goes before each source id, as in NAME:123\n"
    "  --map FACT=COLUMN     this column of a CSV file has that: title,\n"
    "                        author, publisher, published_year, isbn13,\n"
    "                        language, description, price, stock_quantity,\n"
    "                        category, kdc, ddc, image_url, source_id\n"
    "  --map-category TEXT=CATEGORY  where a category that begins so belongs;\n"
    "                        \"KDC 81=...\" for a number in KDC (DDC alike)\n"
    "  --set-stock           set the stock of books that are there already\n"
    "For new books of which the file does not tell:\n"
    "  --category CATEGORY   a name, as on the site or in its addresses\n"
    "  --price WON  --stock N  --author TEXT  --language CODE\n"
    "                        the stock is otherwise 0, the language ko\n"
    "\n"
    "The status is 0, 1 after a mistake or when it was stopped, 3 if records\n"
    "were refused.  doc/import.md tells more.";

static void
stop(int signal ATTR_UNUSED)
{
	import_stopped = 1;
}

/* --- the file --- */

ssize_t
import_read(void *arg, void *data, size_t size)
{
	struct import *im = arg;
	ssize_t n;

	if (im->peek_at < im->npeeked) {
		n = (ssize_t)(im->npeeked - im->peek_at);
		if ((size_t)n > size)
			n = (ssize_t)size;
		memcpy(data, im->peeked + im->peek_at, (size_t)n);
		im->peek_at += (size_t)n;
		return n;
	}
	do {
		n = read(im->fd, data, size);
	} while (n < 0 && errno == EINTR && !import_stopped);
	if (n < 0 && import_stopped)
		return 0;
	if (n > 0)
		im->done += n;
	return n;
}

static void
peek(struct import *im)
{
	ssize_t n;

	while (im->npeeked < sizeof(im->peeked)) {
		n = read(im->fd, im->peeked + im->npeeked,
		    sizeof(im->peeked) - im->npeeked);
		if (n < 0)
			command_die("cannot read %s: %s", im->options.file,
			    strerror(errno));
		if (n == 0)
			return;
		im->npeeked += (size_t)n;
		im->done += n;
	}
}

/* The command has become the account that runs the site. */
static void ATTR_NORETURN
die_opening(const char *file)
{
	int error = errno;

	command_die("cannot read %s: %s%s", file, strerror(error),
	    error == EACCES ? "; try: seoga import - < FILE" : "");
}

static void
open_file(struct import *im)
{
	struct stat st;

	im->fd = strcmp(im->options.file, "-") == 0 ?
	    STDIN_FILENO :
	    open(im->options.file, O_RDONLY | O_CLOEXEC);
	if (im->fd < 0 || fstat(im->fd, &st) < 0)
		die_opening(im->options.file);
	if (S_ISREG(st.st_mode))
		im->size = st.st_size;
	peek(im);
}

/* What librarians have in their hands that looks like CSV and is none. */
static void
refuse_others(const struct import *im)
{
	const unsigned char *s = im->peeked;

	if (im->npeeked >= 4 && memcmp(s, "PK\3\4", 4) == 0)
		command_die("%s is a spreadsheet or an archive; save it as CSV"
			    " (UTF-8)",
		    im->options.file);
	if (im->npeeked >= 2 &&
	    (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0))
		command_die(
		    "%s is UTF-16; save it as CSV (UTF-8)", im->options.file);
}

/* XML begins with "<", a MARC record with the 24 characters of its leader,
 * digits at both ends of it. */
static enum import_format
format_of(const struct import *im)
{
	const unsigned char *s = im->peeked;
	size_t n = im->npeeked;
	bool is_marc;

	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
		s += 3;
		n -= 3;
	}
	while (n > 0 && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t')) {
		s++;
		n--;
	}
	if (n > 0 && *s == '<')
		return IMPORT_MARCXML;
	is_marc = n >= 24;
	for (size_t i = 0; is_marc && i < 5; i++)
		is_marc = s[i] >= '0' && s[i] <= '9' && s[12 + i] >= '0' &&
		    s[12 + i] <= '9';
	return is_marc ? IMPORT_MARC : IMPORT_CSV;
}

/* --- what is shown --- */

/* A bar is taken away before anything else is written. */
static void
clear_bar(const struct import *im)
{
	if (im->terminal && im->shown)
		fputs("\r\033[K", stderr);
}

static void
draw_bar(const struct import *im, int percent, double rate)
{
	fputc('\r', stderr);
	if (im->size > 0) {
		fputc('[', stderr);
		for (int i = 0; i < BAR; i++)
			fputc(i * 100 < percent * BAR ? '#' : '.', stderr);
		fprintf(stderr, "] %3d%%  ", percent);
	}
	fprintf(stderr, "%zu records, %.0f a second\033[K", im->read, rate);
	fflush(stderr);
}

/* On a terminal a bar, else a line for each tenth of the file, or for so many
 * records where its size is not known. */
static void
show_progress(struct import *im)
{
	int64_t now = log_now();
	double seconds = (double)(now - im->begin + 1) / 1e6;
	int percent = im->size > 0 ? (int)(im->done * 100 / im->size) : 0;

	if (percent > 100)
		percent = 100;
	if (im->terminal && now - im->shown >= DRAW_US) {
		im->shown = now;
		draw_bar(im, percent, (double)im->read / seconds);
	} else if (!im->terminal && percent / 10 > im->tenth) {
		im->tenth = percent / 10;
		fprintf(stderr, "%3d%%  %zu records\n", percent, im->read);
	} else if (!im->terminal && im->size == 0 &&
	    im->read / PIPED > im->piped) {
		im->piped = im->read / PIPED;
		fprintf(stderr, "%zu records\n", im->read);
	}
}

void
import_say(
    struct import *im, size_t where, const char *kind, const char *fmt, ...)
{
	va_list ap;

	if (im->messages++ >= MESSAGES_SHOWN && !im->options.all_messages)
		return;
	clear_bar(im);
	fprintf(stderr, "%s, %s %zu: %s: ", im->options.file, im->unit, where,
	    kind);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void
say_rest(const struct import *im)
{
	clear_bar(im);
	if (im->messages > MESSAGES_SHOWN && !im->options.all_messages)
		fprintf(stderr,
		    "and %zu more messages; --all-messages shows them\n",
		    im->messages - MESSAGES_SHOWN);
}

/* --- records --- */

static void
count_batch(struct import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		const struct bulk_book *book = &im->batch[i];

		im->results[book->result]++;
		if (book->result == BULK_REFUSED)
			import_say(im, book->where, "error", "%s", book->error);
		else if (book->result == BULK_CHANGED &&
		    im->options.show_changes)
			import_say(im, book->where, "change", "%s",
			    import_changes(im, book));
	}
}

static void ATTR_NORETURN
die_away(const struct import *im)
{
	const char *why = im->req->fail_text;

	clear_bar(im);
	if (!im->run.write)
		command_die("%s", why ? why : "It failed.");
	command_die("%s What comes before %s %zu is done; do the same again to"
		    " go on.",
	    why ? why : "It failed.", im->unit, im->batch[0].where);
}

/* The lock went with the link. */
static void
lock_again(struct import *im)
{
	int rc = im->run.write ? bulk_lock(im->req) : RC_OK;

	if (rc == RC_CONFLICT)
		command_die("another import has begun meanwhile");
	if (rc < 0)
		req_forgive(im->req);
}

/* MariaDB may be restarted under us: doing a batch again is safe. */
static void
flush(struct import *im)
{
	struct req *req = im->req;
	int rc = RC_OK;

	for (unsigned tries = 0; im->n > 0; tries++) {
		rc = bulk_take(req, &im->run, im->batch, im->n);
		if (rc == RC_OK || tries + 1 == TRIES || import_stopped)
			break;
		clear_bar(im);
		fprintf(stderr, "MariaDB is away; trying again in %u s\n",
		    1U << tries);
		req_forgive(req);
		sleep(1U << tries);
		lock_again(im);
	}
	if (rc < 0)
		die_away(im);
	count_batch(im);
	im->n = 0;
	arena_reset(req->arena);
}

/* Long records make short batches. */
static bool
after_record(struct import *im)
{
	bool full = im->n == BULK_MAX || arena_used(im->req->arena) > MEMORY;

	if (full)
		flush(im);
	if (full || im->read % BULK_MAX == 0)
		show_progress(im);
	return !import_stopped;
}

bool
import_refuse(struct import *im, size_t where, const char *error)
{
	im->read++;
	im->results[BULK_REFUSED]++;
	import_say(im, where, "error", "%s", error);
	return after_record(im);
}

/* FNV-1a; 2^64 is much more than there are books. */
static uint64_t
hash_of(const char *s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return hash;
}

/* Where the file had the same key before, 0 if nowhere. */
static size_t
seen_before(struct import *im, const struct bulk_book *book)
{
	const char *keys[] = { model_text(book->said, "isbn13"),
		model_text(book->said, "source_id"),
		model_text(book->otherwise, "source_id") };
	size_t where = 0;

	for (size_t i = 0; i < LENGTH(keys); i++) {
		size_t at =
		    keys[i] ? bulk_seen_find(im->keys, hash_of(keys[i])) : 0;

		if (at && !where)
			where = at;
	}
	for (size_t i = 0; !where && i < LENGTH(keys); i++) {
		if (keys[i])
			bulk_seen_add(im->keys, hash_of(keys[i]), book->where);
	}
	return where;
}

bool
import_take(struct import *im, const struct import_record *record)
{
	struct bulk_book *book = &im->batch[im->n];
	const char *error = import_facts(im, record, book);
	size_t before;

	if (error)
		return import_refuse(im, record->where, error);
	before = seen_before(im, book);
	if (before)
		return import_refuse(im, record->where,
		    arena_printf(im->req->arena,
			"%s %zu has the same ISBN or source id", im->unit,
			before));
	im->read++;
	im->n++;
	return after_record(im);
}

/* --- the whole --- */

static void
read_categories(struct import *im)
{
	static const char *const names[] = { "slug", "name_ko", "name_en" };
	json_t *rows, *row;
	size_t i;

	if (bulk_categories(im->req, &rows) < 0)
		command_die_of(im->req, "the categories cannot be read");
	im->ncategories = json_array_size(rows);
	im->categories = calloc(im->ncategories + 1, sizeof(*im->categories));
	if (!im->categories)
		command_die("there is no memory");
	json_array_foreach(rows, i, row) {
		im->categories[i].id = model_int(row, "id");
		for (size_t n = 0; n < LENGTH(names); n++)
			snprintf(im->categories[i].names[n], CATEGORY_NAME_SIZE,
			    "%s", model_text(row, names[n]));
	}
}

static void ATTR_NORETURN
die_uncategorized(const struct import *im, const char *name)
{
	fprintf(stderr, "The categories are:");
	for (size_t i = 0; i < im->ncategories; i++)
		fprintf(stderr, "%s %s (%s)", i ? "," : "",
		    im->categories[i].names[0], im->categories[i].names[1]);
	fputc('\n', stderr);
	command_die("there is no category \"%s\"", name);
}

static void
check_categories(struct import *im)
{
	const struct import_options *o = &im->options;

	if (o->category) {
		im->category =
		    import_category(im, o->category, strlen(o->category));
		if (!im->category)
			die_uncategorized(im, o->category);
	}
	for (size_t i = 0; i < o->ncategories; i++) {
		const char *slug = o->categories[i].to;

		if (!import_category(im, slug, strlen(slug)))
			die_uncategorized(im, slug);
	}
}

static int
write_audit(struct req *req, void *arg)
{
	struct import *im = arg;
	static const char *const names[BULK_RESULTS] = { "added", "changed",
		"unchanged", "withdrawn", "refused" };
	struct audit_object file = { "import", 0, im->run.note };
	json_t *changes = json_object();

	for (int i = 0; im->read && i < BULK_RESULTS; i++)
		model_set(changes, names[i],
		    json_pack("[n, I]", (json_int_t)im->results[i]));
	return audit_add(
	    req, im->read ? "import.end" : "import.begin", &file, changes);
}

/* Once before anything is written, so that a run that is killed is known,
 * too, and once after it, with the figures. */
static void
audit(struct import *im)
{
	if (im->run.write && db_tx(im->req, write_audit, im) < 0)
		command_die_of(im->req, "the audit log cannot be written");
}

static void
print_count(size_t n, const char *what)
{
	if (n > 0)
		printf("%9zu %s\n", n, what);
}

static void
report(const struct import *im)
{
	const size_t *r = im->results;
	bool wrote = im->run.write;

	printf("%9zu records\n", im->read);
	print_count(r[BULK_NEW], wrote ? "added" : "new");
	print_count(r[BULK_CHANGED], wrote ? "changed" : "would change a book");
	print_count(r[BULK_SAME], "as they are in the catalogue");
	print_count(r[BULK_WITHDRAWN], "of withdrawn books, left alone");
	print_count(r[BULK_REFUSED], "refused");
	if (import_stopped)
		puts("It was stopped. Do the same again to go on: what is in"
		     " already is known.");
	else if (!wrote)
		puts("Nothing was written: this was a trial. --apply writes.");
}

static void (*const read_file[])(struct import *) = {
	[IMPORT_CSV] = import_csv,
	[IMPORT_MARC] = import_marc,
	[IMPORT_MARCXML] = import_marcxml,
};

static void
run(struct import *im)
{
	if (im->options.format == IMPORT_ANY)
		im->options.format = format_of(im);
	audit(im);
	im->begin = log_now();
	read_file[im->options.format](im);
	flush(im);
	audit(im);
	say_rest(im);
	report(im);
}

/* --- options --- */

static struct import_map
split_map(char *text)
{
	char *sign = strrchr(text, '=');

	if (!sign || sign == text || !sign[1])
		command_die("\"%s\" is not of the form NAME=NAME", text);
	*sign = '\0';
	return (struct import_map){ text, sign + 1 };
}

static void
add_map(struct import_map *maps, size_t *n, char *text)
{
	if (*n == IMPORT_MAPS_MAX)
		command_die("there are too many maps");
	maps[(*n)++] = split_map(text);
}

static enum import_format
format_named(const char *name)
{
	static const char *const names[] = { [IMPORT_CSV] = "csv",
		[IMPORT_MARC] = "marc",
		[IMPORT_MARCXML] = "marcxml" };

	for (size_t i = 1; i < LENGTH(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return (enum import_format)i;
	}
	command_die(
	    "there is no format \"%s\": it is csv, marc or marcxml", name);
}

static int64_t
number_of(const char *option, const char *text, int64_t most)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (*end || end == text || n < 0 || n > most)
		command_die("%s: \"%s\" is no number from 0 to %lld", option,
		    text, (long long)most);
	return n;
}

static int64_t
price_of(const char *text)
{
	int64_t price = import_price(text, strlen(text));

	if (price < 0)
		command_die("--price: \"%s\" is no number of won", text);
	return price;
}

static const char *
language_named(const char *text)
{
	if (strlen(text) != 2 || text[0] < 'a' || text[0] > 'z' ||
	    text[1] < 'a' || text[1] > 'z')
		command_die(
		    "--language: \"%s\" is no code of two letters", text);
	return text;
}

static const struct option known[] = { { "help", no_argument, NULL, 'h' },
	{ "apply", no_argument, NULL, 'w' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "format", required_argument, NULL, 'f' },
	{ "charset", required_argument, NULL, 'e' },
	{ "source", required_argument, NULL, 'i' },
	{ "map", required_argument, NULL, 'm' },
	{ "map-category", required_argument, NULL, 'k' },
	{ "category", required_argument, NULL, 'c' },
	{ "price", required_argument, NULL, 'p' },
	{ "stock", required_argument, NULL, 's' },
	{ "author", required_argument, NULL, 'a' },
	{ "language", required_argument, NULL, 'l' },
	{ "set-stock", no_argument, NULL, 'S' },
	{ "all-messages", no_argument, NULL, 'A' },
	{ "changes", no_argument, NULL, 'C' }, { 0 } };

static void
take_option(struct import_options *o, int option)
{
	switch (option) {
	case 'h':
		puts(usage);
		exit(EXIT_SUCCESS);
	case 'w':
		o->write = true;
		break;
	case 'd':
		o->write = false;
		break;
	case 'f':
		o->format = format_named(optarg);
		break;
	case 'e':
		o->charset = optarg;
		break;
	case 'i':
		o->source = optarg;
		break;
	case 'm':
		add_map(o->columns, &o->ncolumns, optarg);
		break;
	case 'k':
		add_map(o->categories, &o->ncategories, optarg);
		break;
	case 'c':
		o->category = optarg;
		break;
	case 'p':
		o->price = price_of(optarg);
		break;
	case 's':
		o->stock = number_of("--stock", optarg, 1000000);
		break;
	case 'a':
		o->author = optarg;
		break;
	case 'l':
		o->language = language_named(optarg);
		break;
	case 'S':
		o->set_stock = true;
		break;
	case 'A':
		o->all_messages = true;
		break;
	case 'C':
		o->show_changes = true;
		break;
	default:
		command_die("%s", usage);
	}
}

static struct import_options
read_options(int argc, char **argv)
{
	struct import_options o = { .price = -1, .language = "ko" };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		take_option(&o, option);
	if (argc - optind != 1)
		command_die("%s", usage);
	o.file = argv[optind];
	return o;
}

/* The name without its folders, as far as it fits. */
static const char *
note_of(const char *file)
{
	static char note[NOTE_MAX + 1];
	const char *name = strrchr(file, '/');
	size_t len;

	if (strcmp(file, "-") == 0)
		return "standard input";
	name = name ? name + 1 : file;
	len = strlen(name);
	if (!utf8_valid(name, len))
		return "a file";
	while (len > NOTE_MAX || ((unsigned char)name[len] & 0xc0) == 0x80)
		len--;
	memcpy(note, name, len);
	return note;
}

static void
open_import(struct import *im, struct req *req)
{
	im->req = req;
	im->keys = bulk_seen_open();
	im->terminal = isatty(STDERR_FILENO);
	im->run = (struct bulk_run){ .write = im->options.write,
		.set_stock = im->options.set_stock,
		.note = note_of(im->options.file),
		.books = bulk_seen_open() };
	if (!im->keys || !im->run.books)
		command_die("there is no memory");
	read_categories(im);
	check_categories(im);
	if (im->run.write && bulk_lock(req) < 0)
		command_die("another import is under way");
	arena_reset(req->arena);
}

int
main(int argc, char **argv)
{
	static struct import im;
	struct sigaction action = { .sa_handler = stop };
	struct req req;
	bool refused;

	command_begin("import");
	im.options = read_options(argc, argv);
	open_file(&im);
	refuse_others(&im);
	command_open(&req, "import", false);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	open_import(&im, &req);
	run(&im);
	refused = im.results[BULK_REFUSED] > 0;
	bulk_seen_close(im.keys);
	bulk_seen_close(im.run.books);
	free(im.categories);
	command_close(&req);
	return import_stopped ? EXIT_FAILURE :
	    refused	      ? REFUSED_STATUS :
				EXIT_SUCCESS;
}
