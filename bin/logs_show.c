/* logs_show -- lines as they are, or one short line each for people: see
 * logs.h. */
#include "logline.h"
#include "logs.h"
#include "utf8.h"

static void
put(const char *s, size_t len)
{
	fwrite_unlocked(s, 1, len, stdout);
}

void
logs_show_raw(const struct logs_line *line)
{
	put(line->s, line->len);
	putchar_unlocked('\n');
}

/*
 * A text as it stands in the line, so that what is escaped there stays so,
 * and the rest only where it shows as what it is: a terminal obeys control
 * characters.
 */
static void
put_text(const char *s, size_t len)
{
	const char *end = s + len;
	uint32_t ch;
	size_t n;

	if (utf8_one_line(s, len)) {
		put(s, len);
		return;
	}
	for (; s < end; s += n) {
		n = utf8_next(s, (size_t)(end - s), &ch);
		if (n > 0 && utf8_one_line(s, n)) {
			put(s, n);
		} else if (n > 0) {
			printf("\\u%04x", ch);
		} else {
			printf("\\x%02x", (unsigned char)*s);
			n = 1;
		}
	}
}

struct head {
	struct logline_value ts, lvl, trace, prog, ev;
};

/* The values that each line has; what is left stays empty. */
static bool
take_head(struct head *head, const struct logline_value *key,
    const struct logline_value *value)
{
	const struct {
		const char *name;
		struct logline_value *value;
	} known[] = { { "ts", &head->ts }, { "lvl", &head->lvl },
		{ "trace", &head->trace }, { "prog", &head->prog },
		{ "ev", &head->ev } };

	for (size_t i = 0; i < LENGTH(known); i++) {
		if (logline_is(key, known[i].name)) {
			*known[i].value = *value;
			return true;
		}
	}
	/* Of use to machines alone. */
	return logline_is(key, "pid") || logline_is(key, "at") ||
	    logline_is(key, "span") || logline_is(key, "parent");
}

static void
put_head(const struct head *head)
{
	/* 2026-11-21T18:26:22.196489Z: the day, the time. */
	if (head->ts.len > 11) {
		put_text(head->ts.s, 10);
		putchar_unlocked(' ');
		put_text(head->ts.s + 11, head->ts.len - 12);
	}
	putchar_unlocked(' ');
	put_text(head->lvl.s, head->lvl.len);
	putchar_unlocked(' ');
	put_text(head->trace.s, head->trace.len < 8 ? head->trace.len : 8);
	putchar_unlocked(' ');
	put_text(head->prog.s, head->prog.len);
	putchar_unlocked(' ');
	put_text(head->ev.s, head->ev.len);
}

static void
put_rest(const struct logs_line *line)
{
	const char *at = line->s, *end = line->s + line->len;
	struct logline_value key, value;
	struct head unused;

	while (logline_next(&at, end, &key, &value)) {
		if (take_head(&unused, &key, &value) ||
		    (value.text && value.len == 0))
			continue;
		putchar_unlocked(' ');
		put_text(key.s, key.len);
		putchar_unlocked('=');
		if (value.text && memchr(value.s, ' ', value.len)) {
			putchar_unlocked('"');
			put_text(value.s, value.len);
			putchar_unlocked('"');
		} else {
			put_text(value.s, value.len);
		}
	}
}

void
logs_show_short(const struct logs_line *line)
{
	const char *at = line->s, *end = line->s + line->len;
	struct logline_value key, value;
	struct head head = { 0 };

	while (logline_next(&at, end, &key, &value))
		take_head(&head, &key, &value);
	if (head.ts.text && head.ev.text) {
		put_head(&head);
		put_rest(line);
	} else {
		/* Half a line, or of another program. */
		put_text(line->s, line->len);
	}
	putchar_unlocked('\n');
}
