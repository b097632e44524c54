/* GET /covers/<id>.svg -- a typographic cover, drawn from title and author. */
#include "route.h"

#define TITLE_TOP 92 /* baseline of the first line, of 450 */
#define AUTHOR_TOP 40
#define LINES_MAX 6
#define WIDTH 240

static const struct field fields[] = { { "id", FIELD_INT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   INT64_MAX, N_("Book") },
	{ 0 } };

/* Hues that go together; the second is the design's accent. */
static const int hues[][2] = { { 212, 38 }, { 158, 44 }, { 8, 40 }, { 262, 34 },
	{ 28, 196 }, { 340, 30 }, { 188, 18 }, { 96, 46 }, { 228, 12 },
	{ 300, 46 } };

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
			width += 960; /* Hangul and Hanja are square */
		else if (c >= 0xc2)
			width += 600;
		else if (strchr(" .,:;'!|iljtfrI()-", c))
			width += 380;
		else if (strchr("mwMW", c))
			width += c < 0x60 ? 1060 : 900;
		else if (c < 0x80)
			width += c >= 'A' && c <= 'Z' ? 760 : 600;
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
	while (len > 1 &&
	    (width_of(s, len) > limit ||
		((unsigned char)s[len] & 0xc0) == 0x80))
		len--;
	return len;
}

/* How lines are set: all lengths in the drawing's units. */
struct setting {
	int size, width, top, step, max;
	bool cut; /* an over-long word may be cut */
};

/* Breaks text into lines; NULL when it does not fit the setting. */
static json_t *
break_lines(const char *text, const struct setting *set)
{
	int limit = set->width * 1000 / set->size;
	json_t *lines = json_array();

	while (*text) {
		size_t len = line_length(text, limit);
		size_t shown = len;

		while (shown && text[shown - 1] == ' ')
			shown--;
		if (width_of(text, shown) > limit) {
			if (!set->cut)
				return NULL;
			len = shown = cut_word(text, shown, limit);
		}
		if (json_array_size(lines) == (size_t)set->max)
			return NULL;
		json_array_append_new(lines,
		    json_pack("{s:s%, s:i}", "text", text, shown, "y",
			set->top + set->step * (int)json_array_size(lines)));
		text += len;
	}
	return lines;
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

/* The lines, however little of the text they hold. */
static json_t *
break_shortened(struct req *req, const char *text, struct setting set)
{
	json_t *lines = NULL;

	set.cut = true;
	for (size_t most = 80; !lines && most >= 8; most -= 8)
		lines = break_lines(shortened(req, text, most), &set);
	return lines ? lines : json_array();
}

/* Lines of like length: as narrow as the number of lines allows. */
static json_t *
balance(const char *text, struct setting set, json_t *lines)
{
	json_t *narrower;

	set.max = (int)json_array_size(lines);
	for (set.width -= 4; set.width > 40; set.width -= 4) {
		narrower = break_lines(text, &set);
		if (!narrower)
			break;
		lines = narrower;
	}
	return lines;
}

/* The largest size at which the title fits without cutting a word. */
static int
set_title(struct req *req, const char *title, json_t **lines)
{
	static const int sizes[][2] = { { 40, 3 }, { 34, 4 }, { 30, 4 },
		{ 26, LINES_MAX }, { 22, LINES_MAX }, { 18, LINES_MAX } };
	struct setting set = { .width = WIDTH };

	title = shortened(req, title, 80);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		set.size = sizes[i][0];
		set.step = set.size * 5 / 4;
		set.top = TITLE_TOP + set.size / 3;
		set.max = sizes[i][1];
		*lines = break_lines(title, &set);
		if (*lines) {
			*lines = balance(title, set, *lines);
			return set.size;
		}
	}
	*lines = break_shortened(req, title, set);
	return set.size;
}

static json_t *
set_author(struct req *req, const char *author)
{
	struct setting set = { .size = 15,
		.width = WIDTH,
		.top = AUTHOR_TOP,
		.step = 19,
		.max = 2 };

	return break_shortened(req, author, set);
}

static json_t *
cover_model(struct req *req, const char *title, const char *author)
{
	uint32_t h = digest(title) ^ digest(author);
	const int *hue = hues[h / 4 % LENGTH(hues)];
	json_t *title_lines, *author_lines = set_author(req, author);
	int size = set_title(req, title, &title_lines);

	return json_pack("{s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i,"
			 " s:b, s:b, s:b, s:b}",
	    "title", title, "author", author, "title_lines", title_lines,
	    "author_lines", author_lines, "hue", hue[0], "hue2", hue[1],
	    "title_size", size, "w", 300, "h", 450, "a", h % 4 == 0, "b",
	    h % 4 == 1, "c", h % 4 == 2, "d", h % 4 == 3);
}

static int
show(struct req *req)
{
	json_t *book;
	int rc = book_by_id(req, form_int(req, "id"), &book);

	if (rc < 0)
		return rc;
	return page_send_svg(req, "cover.svg",
	    cover_model(
		req, model_text(book, "title"), model_text(book, "author")));
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
