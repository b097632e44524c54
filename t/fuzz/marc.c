/*
 * A fuzz target for MARC in `seoga import`: any bytes as records in ISO 2709
 * or MARCXML, by the first byte.
 *
 * Half of the inputs are taken as the fields of one record, whose leader and
 * directory are made here, and are then damaged where the input says: bytes
 * by chance would seldom make a record that gets as far as its texts.
 *
 * Whatever comes, reading ends; what is taken is UTF-8 within the bounds of
 * the catalogue, what is refused has a reason, and the memory it takes is
 * bounded by the size of the input.
 */
#include "../req.h"

#include "../../bin/import_marc.h"
#include "../../lib/command.h"
#include "../../lib/model.h"
#include "../../lib/utf8.h"

#include <setjmp.h>

enum { FIELD_END = 0x1e, RECORD_END = 0x1d, MADE_MAX = 1 << 18 };
enum { OVERHEAD = 1 << 20, FACTOR = 512 };

/* Exported for the fuzzer to call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct import im;
static const uint8_t *rest;
static size_t left, last, whole_size;
static char record[MADE_MAX];

static void
require(bool truth)
{
	if (!truth)
		abort();
}

/* --- what bin/import.c has in the command --- */

volatile sig_atomic_t import_stopped;

/* No character set is unknown here, no read fails. */
void
command_die(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

ssize_t
import_read(void *arg, void *data, size_t size)
{
	size_t n = size < left ? size : left;

	(void)arg;
	if (n > 0)
		memcpy(data, rest, n);
	rest += n;
	left -= n;
	return (ssize_t)n;
}

static void
after(size_t where)
{
	require(where >= last);
	last = where;
	require(arena_used(im.req->arena) < OVERHEAD + FACTOR * whole_size);
	arena_reset(im.req->arena);
}

bool
import_refuse(struct import *import, size_t where, const char *error)
{
	(void)import;
	require(error && *error && utf8_valid(error, strlen(error)));
	after(where);
	return true;
}

void
import_say(
    struct import *import, size_t where, const char *kind, const char *fmt, ...)
{
	va_list ap;
	char *text;

	(void)where;
	(void)kind;
	va_start(ap, fmt);
	text = arena_vprintf(import->req->arena, fmt, ap);
	va_end(ap);
	require(utf8_valid(text, strlen(text)));
}

static void
check_text(const json_t *said, const char *fact, size_t most)
{
	const char *s = model_text(said, fact);

	require(!s ||
	    (utf8_one_line(s, strlen(s)) && utf8_count(s, strlen(s)) <= most));
}

bool
import_take(struct import *import, const struct import_record *texts)
{
	struct bulk_book book;
	const char *error = import_facts(import, texts, &book);

	if (error)
		return import_refuse(import, texts->where, error);
	require(model_text(book.said, "title"));
	check_text(book.said, "title", 255);
	check_text(book.said, "author", 255);
	check_text(book.said, "publisher", 255);
	check_text(book.said, "source_id", 64);
	check_text(book.said, "isbn13", 13);
	check_text(book.said, "language", 2);
	require(model_int(book.said, "price") >= 0);
	require(model_int(book.said, "stock_quantity") >= 0);
	after(texts->where);
	return true;
}

/* --- a record of the input's fields --- */

static size_t
put_number(size_t at, size_t number, int digits)
{
	snprintf(record + at, (size_t)digits + 1, "%0*zu", digits, number);
	return at + (size_t)digits;
}

/* The fields stand behind the directory; each begins with its tag. */
static size_t
make_record(const uint8_t *data, size_t size, size_t fields)
{
	size_t base = 24 + fields * 12 + 1, from = 0, out = base, at = 24;

	memcpy(record, "00000nam a2200000   4500", 24);
	while (from < size) {
		const uint8_t *end =
		    memchr(data + from, FIELD_END, size - from);
		size_t n = end ? (size_t)(end - data) - from : size - from;
		size_t tag = n < 3 ? n : 3;

		memcpy(record + at, "500", 3);
		memcpy(record + at, data + from, tag);
		memcpy(record + out, data + from + tag, n - tag);
		record[out + n - tag] = FIELD_END;
		put_number(at + 3, n - tag + 1, 4);
		put_number(at + 7, out - base, 5);
		at += 12;
		out += n - tag + 1;
		from += n + 1;
	}
	record[base - 1] = FIELD_END;
	record[out++] = RECORD_END;
	put_number(0, out % 100000, 5);
	record[5] = 'n';
	put_number(12, base % 100000, 5);
	record[17] = ' ';
	return out;
}

static size_t
count_fields(const uint8_t *data, size_t size)
{
	size_t n = size > 0;

	for (size_t i = 0; i + 1 < size; i++)
		n += data[i] == FIELD_END;
	return n;
}

/* Three bytes each: where, and what is there then. */
static void
damage(const uint8_t *data, size_t size, size_t len)
{
	for (; size >= 3; data += 3, size -= 3)
		record[(size_t)(data[0] << 8 | data[1]) % len] = (char)data[2];
}

static void
take_made(const uint8_t *data, size_t size)
{
	size_t harm = size > 0 ? data[0] % 8 * 3 : 0, fields, len;

	if (size < harm + 1 || size > MADE_MAX / 16)
		return;
	fields = count_fields(data + 1 + harm, size - 1 - harm);
	len = make_record(data + 1 + harm, size - 1 - harm, fields);
	damage(data + 1, harm, len);
	rest = (const uint8_t *)record;
	left = whole_size = len;
	import_marc(&im);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { NULL, "cp949", "marc-8",
		"utf-8" };
	struct req *req;

	if (size == 0)
		return 0;
	req = test_req_open();
	im = (struct import){ .req = req };
	im.options.price = -1;
	im.options.language = "ko";
	last = 0;
	rest = data + 1;
	left = whole_size = size - 1;
	if ((data[0] & 3) == 0) {
		/* With a document type the command ends. */
		if (!memmem(rest, left, "<!DOCTYPE", 9))
			import_marcxml(&im);
	} else {
		im.options.charset = charsets[data[0] >> 2 & 3];
		if ((data[0] & 3) == 1)
			import_marc(&im);
		else
			take_made(data + 1, size - 1);
	}
	test_req_close(req);
	test_log();
	return 0;
}
