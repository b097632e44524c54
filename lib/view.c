/* view -- see view.h. */
#include "view.h"

#include "model.h"

#include <time.h>

#define LOW_STOCK 3		/* copies left that are worth mentioning */

static const char *
grouped(struct req *req, int64_t n)
{
	char digits[24], out[32], *p = out;
	int len = snprintf(digits, sizeof(digits), "%lld",
	    (long long)(n < 0 ? -n : n));

	if (n < 0)
		*p++ = '-';
	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	return arena_strndup(req->arena, out, (size_t)(p - out));
}

const char *
view_money(struct req *req, int64_t minor)
{
	const char *won = grouped(req, minor / 100);

	return arena_printf(req->arena,
	    req->lang == LANG_KO ? "%s원" : "₩%s", won);
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

const char *
view_date(struct req *req, const char *iso)
{
	struct tm tm = { 0 };

	if (!iso || !strptime(iso, "%Y-%m-%d", &tm))
		return "";
	return date_text(req, &tm);
}

const char *
view_time(struct req *req, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	return arena_printf(req->arena, "%s %02d:%02d UTC",
	    date_text(req, &tm), tm.tm_hour, tm.tm_min);
}

static json_t *
availability(struct req *req, int64_t stock)
{
	json_t *a = json_object();

	if (stock == 0) {
		model_set_text(a, "kind", "out");
		model_set_text(a, "text", _("Sold out"));
	} else if (stock <= LOW_STOCK) {
		model_set_text(a, "kind", "low");
		model_set_text(a, "text", arena_printf(req->arena,
		    _("Only %d left"), (int)stock));
	} else {
		model_set_text(a, "kind", "in");
		model_set_text(a, "text", _("In stock"));
	}
	return a;
}

/* Works of antiquity have negative years. */
static const char *
year_text(struct req *req, int64_t year)
{
	if (year == 0)
		return NULL;
	if (year < 0)
		return arena_printf(req->arena, _("%d BCE"), (int)-year);
	return arena_printf(req->arena, "%d", (int)year);
}

void
view_book(struct req *req, json_t *book)
{
	int64_t id = model_int(book, "id");
	const char *image =
	    model_text(book, "image_url");

	model_set_text(book, "url",
	    arena_printf(req->arena, "/books/%lld", (long long)id));
	model_set_text(book, "cover_url", image ? image :
	    arena_printf(req->arena, "/covers/%lld.svg", (long long)id));
	model_set_text(book, "price_text",
	    view_money(req, model_int(book, "price")));
	model_set_text(book, "year_text",
	    year_text(req, model_int(book, "published_year")));
	json_object_set_new_nocheck(book, "availability",
	    availability(req, model_int(book, "stock_quantity")));
}
