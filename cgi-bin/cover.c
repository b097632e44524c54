/* GET /covers/<id>.svg -- a typographic cover, drawn from title and author. */
#include "route.h"

#define TITLE_TOP 84		/* baseline of the first line, of 450 */
#define TITLE_BOTTOM 258
#define AUTHOR_TOP 40
#define LINES_MAX 5

static const struct field fields[] = {
	{ "id", FIELD_INT, FIELD_PATH | FIELD_REQUIRED, 1, INT64_MAX,
	    N_("Book") },
	{ 0 }
};

/* Hues that go together; the second is the design's accent. */
static const int hues[][2] = { { 212, 38 }, { 158, 44 }, { 8, 40 },
	{ 262, 34 }, { 28, 196 }, { 340, 30 }, { 188, 18 }, { 96, 46 },
	{ 228, 12 }, { 300, 46 } };

/* FNV-1a: the same book always gets the same cover. */
static uint32_t
digest(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* Widths in thousandths of the font size, near enough to break lines. */
static int
width_of(const char *s, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0xe0)
			width += 980;	/* Hangul and Hanja are square */
		else if (c >= 0xc2)
			width += 560;
		else if (c >= 'A' && c <= 'Z')
			width += 690;
		else if (c < 0x80)
			width += strchr(" .,:;'!|il1()-", c) ? 300 : 540;
	}
	return width;
}

static size_t
next_word(const char *s)
{
	size_t len = strcspn(s, " ");

	return len + strspn(s + len, " ");
}

/* As many words as fit in one line; at least one. */
static size_t
line_length(const char *s, int limit)
{
	size_t len = 0, word;

	while (s[len]) {
		word = len + strcspn(s + len, " ");
		if (len && width_of(s, word) > limit)
			break;
		len += next_word(s + len);
	}
	return len;
}

/* The longest start of an over-long word that fits, whole characters only. */
static size_t
cut_word(const char *s, size_t len, int limit)
{
	while (len > 1 && (width_of(s, len) > limit ||
	    ((unsigned char)s[len] & 0xc0) == 0x80))
		len--;
	return len;
}

/* Breaks text into lines; false when it needs more than max of them. */
static bool
break_lines(const char *text, int limit, int top, int step, int max,
    json_t **lines)
{
	json_t *all = json_array();

	while (*text) {
		size_t len = line_length(text, limit);
		size_t shown = len;

		while (shown && text[shown - 1] == ' ')
			shown--;
		if (width_of(text, shown) > limit)
			len = shown = cut_word(text, shown, limit);
		if (json_array_size(all) == (size_t)max)
			return false;
		json_array_append_new(all, json_pack("{s:s%, s:i}", "text",
		    text, shown, "y", top + step *
		    (int)json_array_size(all)));
		text += len;
	}
	*lines = all;
	return true;
}

/* Words enough for a cover; the page beside it has the whole title. */
static const char *
shortened(struct req *req, const char *text, size_t characters)
{
	size_t len = 0;

	for (; text[len] && characters; characters--)
		do
			len++;
		while (((unsigned char)text[len] & 0xc0) == 0x80);
	return text[len] ? arena_printf(req->arena, "%.*s…", (int)len, text) :
	    text;
}

/* The largest size at which the title fits. */
static int
set_title(struct req *req, const char *title, json_t **lines)
{
	static const int sizes[] = { 40, 34, 30, 26, 22, 18 };

	title = shortened(req, title, 80);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		int size = sizes[i], step = size * 5 / 4;
		int max = (TITLE_BOTTOM - TITLE_TOP) / step + 1;

		if (break_lines(title, 240 * 1000 / size, TITLE_TOP + size / 3,
		    step, max < LINES_MAX ? max : LINES_MAX, lines))
			return size;
	}
	*lines = json_array();
	return sizes[0];
}

static json_t *
cover_model(struct req *req, const char *title, const char *author)
{
	uint32_t h = digest(title) ^ digest(author);
	const int *hue = hues[h / 4 % LENGTH(hues)];
	json_t *title_lines, *author_lines;
	int size = set_title(req, title, &title_lines);

	if (!break_lines(shortened(req, author, 40), 240 * 1000 / 15,
	    AUTHOR_TOP, 19, 2, &author_lines))
		author_lines = json_array();
	return json_pack("{s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i,"
	    " s:b, s:b, s:b, s:b}", "title", title, "author", author,
	    "title_lines", title_lines, "author_lines", author_lines,
	    "hue", hue[0], "hue2", hue[1], "title_size", size,
	    "w", 300, "h", 450, "a", h % 4 == 0, "b", h % 4 == 1,
	    "c", h % 4 == 2, "d", h % 4 == 3);
}

static int
show(struct req *req)
{
	json_t *book;
	int rc = book_by_id(req, form_int(req, "id"), &book);

	if (rc < 0)
		return rc;
	return page_send_svg(req, "cover.svg", cover_model(req,
	    json_string_value(json_object_get(book, "title")),
	    json_string_value(json_object_get(book, "author"))));
}

static const struct route cover = {
	.name = "cover",
	.get = show,
	.fields = fields,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&cover);
}
