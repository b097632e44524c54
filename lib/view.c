/* view -- see view.h. */
#include "view.h"

#include "model.h"

#include <time.h>

#define LOW_STOCK 3 /* copies left that are worth mentioning */

#define KOREA_EAST_S (9 * 3600) /* of UTC */

#define MONEY_MAX 40 /* bytes of the longest amount, and its sign */

/* Writes n with a comma between each three digits so that it ends at end;
 * returns where it begins. */
static char *
write_grouped(char *end, int64_t n)
{
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
	int digits = 0;

	do {
		if (digits && digits % 3 == 0)
			*--end = ',';
		*--end = (char)('0' + left % 10);
		left /= 10;
		digits++;
	} while (left);
	if (n < 0)
		*--end = '-';
	return end;
}

/* Won have no smaller coin, but a price can have a fraction: then it shows, or
 * sums would look wrong. */
static char *
write_fraction(char *end, int64_t minor)
{
	int rest = (int)(minor < 0 ? -(minor % 100) : minor % 100);

	if (rest == 0)
		return end;
	*--end = (char)('0' + rest % 10);
	*--end = (char)('0' + rest / 10);
	*--end = '.';
	return end;
}

const char *
view_money(struct req *req, int64_t minor)
{
	static const char won[] = "원", sign[] = "₩";
	char text[MONEY_MAX], *end = text + sizeof(text), *start = end;

	if (req->lang == LANG_KO) {
		start -= sizeof(won) - 1;
		memcpy(start, won, sizeof(won) - 1);
	}
	start = write_fraction(start, minor);
	start = write_grouped(start, minor / 100);
	if (req->lang != LANG_KO) {
		start -= sizeof(sign) - 1;
		memcpy(start, sign, sizeof(sign) - 1);
	}
	return arena_strndup(req->arena, start, (size_t)(end - start));
}

const char *
view_number(struct req *req, int64_t n)
{
	char text[MONEY_MAX], *end = text + sizeof(text);
	char *start = write_grouped(end, n);

	return arena_strndup(req->arena, start, (size_t)(end - start));
}

static const char *
date_text(struct req *req, const struct tm *tm)
{
	static const char *const months[] = { "January", "February", "March",
		"April", "May", "June", "July", "August", "September",
		"October", "November", "December" };

	if (req->lang == LANG_KO)
		return arena_printf(req->arena, "%d년 %d월 %d일",
		    tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
	return arena_printf(req->arena, "%d %s %d", tm->tm_mday,
	    months[tm->tm_mon], tm->tm_year + 1900);
}

/* Without a script nobody tells us a reader's zone.  Who reads Korean is
 * given Korea's, which has had no summer time since 1988, others UTC; either
 * is named. */
static void
split_time(struct req *req, time_t when, struct tm *tm)
{
	if (req->lang == LANG_KO)
		when += KOREA_EAST_S;
	gmtime_r(&when, tm);
}

int64_t
view_seconds(const char *iso)
{
	struct tm tm = { 0 };

	if (!iso || !strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	return timegm(&tm);
}

const char *
view_date(struct req *req, const char *iso)
{
	int64_t when = view_seconds(iso);
	struct tm tm;

	if (!when)
		return "";
	split_time(req, (time_t)when, &tm);
	return date_text(req, &tm);
}

const char *
view_time(struct req *req, int64_t seconds)
{
	struct tm tm;

	split_time(req, (time_t)seconds, &tm);
	return arena_printf(req->arena, "%s %02d:%02d %s", date_text(req, &tm),
	    tm.tm_hour, tm.tm_min,
	    req->lang == LANG_KO ? "(한국 시간)" : "UTC");
}

const char *
view_minute(struct req *req, int64_t seconds)
{
	struct tm tm;

	split_time(req, (time_t)seconds, &tm);
	return arena_printf(req->arena, "%02d:%02d", tm.tm_hour, tm.tm_min);
}

static void
set_stock(struct req *req, json_t *book, int64_t stock)
{
	if (stock == 0) {
		model_set_text(book, "stock_kind", "out");
		model_set_text(book, "stock_text", _("Sold out"));
	} else if (stock <= LOW_STOCK) {
		model_set_text(book, "stock_kind", "low");
		model_set_text(book, "stock_text",
		    arena_printf(req->arena, _("Only %d left"), (int)stock));
	} else {
		model_set_text(book, "stock_kind", "in");
		model_set_text(book, "stock_text", _("In stock"));
	}
}

void
view_book(struct req *req, json_t *book)
{
	int64_t year = model_int(book, "published_year");

	model_set_text(
	    book, "price_text", view_money(req, model_int(book, "price")));
	set_stock(req, book, model_int(book, "stock_quantity"));
	/* Works of antiquity have negative years. */
	if (year < 0)
		model_set_text(book, "published_year",
		    arena_printf(req->arena, _("%d BCE"), (int)-year));
}
