/* csv -- see csv.h. */
#include "csv.h"

#define CHUNK ((size_t)64 * 1024)
#define SIZE (CSV_ROW_MAX + CHUNK)

struct csv {
	ssize_t (*read)(void *arg, void *data, size_t size);
	void *arg;
	size_t start, end; /* in data: what is not yet taken */
	size_t line;	   /* of start */
	bool begun, eof, failed;
	char data[SIZE];
	/* The row: its fields, one after the other, each with a NUL. */
	char text[SIZE + CSV_FIELDS_MAX];
	size_t len;
	struct csv_field fields[CSV_FIELDS_MAX];
	size_t n;
};

struct csv *
csv_open(ssize_t (*read)(void *arg, void *data, size_t size), void *arg)
{
	struct csv *csv = malloc(sizeof(*csv));

	if (!csv)
		return NULL;
	csv->read = read;
	csv->arg = arg;
	csv->start = csv->end = 0;
	csv->line = 1;
	csv->begun = csv->eof = csv->failed = false;
	csv->len = csv->n = 0;
	return csv;
}

void
csv_close(struct csv *csv)
{
	free(csv);
}

/* --- bytes --- */

/* Another chunk, whole if there is as much, so that no row is looked at many
 * times when bytes come in drops. */
static void
fill(struct csv *csv)
{
	size_t want;
	ssize_t got;

	memmove(csv->data, csv->data + csv->start, csv->end - csv->start);
	csv->end -= csv->start;
	csv->start = 0;
	want = csv->end + CHUNK < SIZE ? csv->end + CHUNK : SIZE;
	while (csv->end < want) {
		got =
		    csv->read(csv->arg, csv->data + csv->end, want - csv->end);
		if (got <= 0) {
			csv->failed = got < 0;
			csv->eof = true;
			return;
		}
		csv->end += (size_t)got;
	}
}

static void
begin(struct csv *csv)
{
	csv->begun = true;
	fill(csv);
	if (csv->end >= 3 && memcmp(csv->data, "\xef\xbb\xbf", 3) == 0)
		csv->start = 3;
}

/* The length of the line's end at p: 0 if none is there.  A CR is waited
 * with until it is known what follows it (*more). */
static size_t
line_end(const struct csv *csv, size_t p, bool *more)
{
	if (csv->data[p] == '\n')
		return 1;
	if (csv->data[p] != '\r')
		return 0;
	if (p + 1 == csv->end) {
		*more = !csv->eof;
		return 1;
	}
	return csv->data[p + 1] == '\n' ? 2 : 1;
}

/* --- a row --- */

/* While it is parsed; fields point into text only when all are there. */
struct parse {
	struct csv *csv;
	size_t at, lines;
	bool more;	   /* its end has not been read yet */
	const char *error; /* or it is none */
	bool ended;	   /* the row, not only a field */
};

static void
put(struct csv *csv, const char *s, size_t len)
{
	memcpy(csv->text + csv->len, s, len);
	csv->len += len;
}

/* At the comma or the end of the line after a field. */
static void
end_field(struct parse *p)
{
	struct csv *csv = p->csv;
	size_t end;

	if (p->at == csv->end) {
		p->more = !csv->eof;
		p->ended = true;
	} else if (csv->data[p->at] == ',') {
		p->at++;
	} else {
		end = line_end(csv, p->at, &p->more);
		if (end == 0)
			p->error = "there is text after the closing quote";
		p->at += end;
		p->lines++;
		p->ended = true;
	}
}

static void
take_plain(struct parse *p)
{
	struct csv *csv = p->csv;
	size_t from = p->at;

	while (p->at < csv->end && csv->data[p->at] != ',' &&
	    csv->data[p->at] != '\n' && csv->data[p->at] != '\r')
		p->at++;
	put(csv, csv->data + from, p->at - from);
}

/* Lines within quotes are kept as they are, and counted. */
static void
count_lines(struct parse *p, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' ||
		    (s[i] == '\r' && (i + 1 == len || s[i + 1] != '\n')))
			p->lines++;
	}
}

static void
take_quoted(struct parse *p)
{
	struct csv *csv = p->csv;
	const char *from, *quote;

	p->at++;
	for (;;) {
		from = csv->data + p->at;
		quote = memchr(from, '"', csv->end - p->at);
		if (!quote || (quote + 1 == csv->data + csv->end && !csv->eof))
			break;
		count_lines(p, from, (size_t)(quote - from));
		put(csv, from, (size_t)(quote - from));
		p->at += (size_t)(quote - from) + 1;
		if (p->at == csv->end || csv->data[p->at] != '"')
			return;
		put(csv, "\"", 1);
		p->at++;
	}
	p->more = !csv->eof;
	if (csv->eof)
		p->error = "a quoted field is not closed";
}

static void
take_field(struct parse *p)
{
	struct csv *csv = p->csv;
	struct csv_field *field = &csv->fields[csv->n];
	size_t from = csv->len;

	if (csv->n == CSV_FIELDS_MAX) {
		p->error = "there are too many fields";
		return;
	}
	if (p->at < csv->end && csv->data[p->at] == '"')
		take_quoted(p);
	else
		take_plain(p);
	if (p->more || p->error)
		return;
	*field = (struct csv_field){ csv->text + from, csv->len - from };
	put(csv, "", 1);
	csv->n++;
	end_field(p);
}

static struct parse
parse_row(struct csv *csv)
{
	struct parse p = { .csv = csv, .at = csv->start };

	csv->len = csv->n = 0;
	while (!p.ended && !p.more && !p.error)
		take_field(&p);
	if (p.more && csv->end - csv->start >= CSV_ROW_MAX) {
		p.more = false;
		p.error = "the row is too long, or a quote is not closed";
	}
	return p;
}

/* After a broken row: what follows its first line may be good. */
static void
skip_line(struct csv *csv)
{
	bool more = false;
	size_t end;

	while (csv->start < csv->end || !csv->eof) {
		if (csv->start == csv->end) {
			fill(csv);
			continue;
		}
		end = line_end(csv, csv->start, &more);
		if (more) {
			more = false;
			fill(csv);
			continue;
		}
		csv->start += end ? end : 1;
		if (end) {
			csv->line++;
			return;
		}
	}
}

static bool
is_blank(const struct csv *csv)
{
	const char *s = csv->data + csv->start;

	return csv->start < csv->end && (*s == '\n' || *s == '\r');
}

static int
take_row(struct csv *csv, struct csv_row *row)
{
	struct parse p;

	while ((p = parse_row(csv)).more)
		fill(csv);
	*row = (struct csv_row){ .line = csv->line,
		.fields = csv->fields,
		.n = csv->n,
		.error = p.error };
	if (p.error) {
		skip_line(csv);
		return RC_BAD_INPUT;
	}
	csv->start = p.at;
	csv->line += p.lines;
	return RC_OK;
}

int
csv_next(struct csv *csv, struct csv_row *row)
{
	if (!csv->begun)
		begin(csv);
	for (;;) {
		if (csv->failed)
			return RC_DOWN;
		if (csv->start == csv->end && !csv->eof)
			fill(csv);
		else if (csv->start == csv->end)
			return RC_NOT_FOUND;
		else if (is_blank(csv))
			skip_line(csv);
		else
			return take_row(csv, row);
	}
}

/* --- writing --- */

void
csv_field(struct buf *out, bool first, const char *s, size_t len)
{
	bool quoted = len > 0 &&
	    (memchr(s, ',', len) || memchr(s, '"', len) ||
		memchr(s, '\n', len) || memchr(s, '\r', len) || s[0] == ' ' ||
		s[len - 1] == ' ');

	if (!first)
		buf_char(out, ',');
	if (!quoted) {
		buf_add(out, s, len);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"')
			buf_char(out, '"');
		buf_char(out, s[i]);
	}
	buf_char(out, '"');
}

void
csv_end_row(struct buf *out)
{
	buf_str(out, "\r\n");
}
