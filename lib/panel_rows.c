/* panel_rows -- the rows of panels that are tables: see panel.h. */
#include "panel_internal.h"

#include "model.h"
#include "sales.h"
#include "sess.h"
#include "view.h"
#include "vitals.h"

#include <math.h>
#include <stdarg.h>
#include <time.h>

#define DAY_S 86400
#define DAYS 7
#define BOOKS 10
#define ADDRESSES 50

void
panel_row(json_t *table, const char *head, ...)
{
	json_t *cells = json_array();
	const char *text;
	va_list ap;

	va_start(ap, head);
	while ((text = va_arg(ap, const char *)))
		json_array_append_new(cells, json_pack("{s:s}", "text", text));
	va_end(ap);
	json_array_append_new(json_object_get(table, "rows"),
	    json_pack("{s:s, s:o}", "head", head, "cells", cells));
}

/* --- programs --- */

static void
count_workers(const struct metric_board *board, size_t route, int64_t *busy,
    int64_t *idle)
{
	*busy = *idle = 0;
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &board->workers[i];

		if (w->pid && w->route == route)
			*(w->busy ? busy : idle) += 1;
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct metric_route *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

int
panel_worker_rows(struct panel_page *page, json_t *table)
{
	const struct metric_board *board = metric_board();
	const struct metric_route *routes[METRIC_ROUTES];
	struct req *req = page->req;

	for (size_t i = 0; i < METRIC_ROUTES; i++)
		routes[i] = &board->routes[i];
	qsort(routes, METRIC_ROUTES, sizeof(*routes), by_name);
	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const struct metric_route *route = routes[i];
		int64_t busy, idle;

		count_workers(
		    board, (size_t)(route - board->routes), &busy, &idle);
		if (!*route->name || (!route->starts && !busy && !idle))
			continue;
		panel_row(table, route->name, view_number(req, busy),
		    view_number(req, idle),
		    view_number(req, (int64_t)route->starts),
		    view_number(req, (int64_t)route->crashes), NULL);
	}
	return RC_OK;
}

static const char *
ms_text(struct req *req, const struct history_sum *sum, double part)
{
	int64_t us = history_quantile(sum, part);

	return us < 0 ? "–" :
			arena_printf(req->arena, "%.1f", (double)us / 1000);
}

struct route_hour {
	const char *name;
	struct history_sum sum;
};

static int
by_requests(const void *a, const void *b)
{
	const struct route_hour *x = a, *y = b;

	if (x->sum.requests != y->sum.requests)
		return x->sum.requests < y->sum.requests ? 1 : -1;
	return strcmp(x->name, y->name);
}

int
panel_route_rows(struct panel_page *page, json_t *table)
{
	const struct metric_board *board = metric_board();
	struct req *req = page->req;
	struct route_hour *hours =
	    arena_alloc(req->arena, METRIC_ROUTES * sizeof(*hours));
	size_t n = 0;

	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const char *name = board->routes[i].name;

		if (!*name || (page->route && strcmp(name, page->route) != 0))
			continue;
		hours[n].name = name;
		history_sum(req->conf, name, PANEL_SECONDS, &hours[n].sum);
		if (hours[n].sum.requests > 0)
			n++;
	}
	qsort(hours, n, sizeof(*hours), by_requests);
	for (size_t i = 0; i < n; i++) {
		const struct history_sum *sum = &hours[i].sum;

		panel_row(table, hours[i].name, view_number(req, sum->requests),
		    view_number(req, sum->failed4),
		    view_number(req, sum->failed5), ms_text(req, sum, 0.5),
		    ms_text(req, sum, 0.95), ms_text(req, sum, 0.99), NULL);
	}
	return RC_OK;
}

/* --- MariaDB --- */

int
panel_table_rows(struct panel_page *page, json_t *table)
{
	json_t *tables, *one;
	size_t i;
	int rc = vitals_tables(page->req, &tables);

	if (rc < 0)
		return rc;
	json_array_foreach(tables, i, one) {
		panel_row(table, model_text(one, "name"),
		    view_number(page->req, model_int(one, "row_count")),
		    panel_text(page->req, PANEL_BYTES,
			(double)model_int(one, "bytes")),
		    NULL);
	}
	return RC_OK;
}

/* --- sales --- */

int
panel_day_rows(struct panel_page *page, json_t *table)
{
	struct req *req = page->req;
	const json_t *day;
	size_t i;

	if (!page->days)
		return RC_DOWN;
	json_array_foreach(page->days, i, day) {
		panel_row(table,
		    view_date(req,
			arena_printf(req->arena, "%sT00:00:00Z",
			    model_text(day, "day"))),
		    view_number(req, model_int(day, "orders")),
		    view_number(req, model_int(day, "copies")),
		    view_money(req, model_int(day, "revenue")), NULL);
	}
	return RC_OK;
}

int
panel_book_rows(struct panel_page *page, json_t *table)
{
	struct req *req = page->req;
	json_t *books, *book;
	size_t i;
	int rc = sales_best(req, DAYS, BOOKS, &books);

	if (rc < 0)
		return rc;
	json_array_foreach(books, i, book) {
		panel_row(table, model_text(book, "title"),
		    view_number(req, model_int(book, "copies")),
		    view_money(req, model_int(book, "revenue")), NULL);
	}
	return RC_OK;
}

/* --- addresses --- */

/* "3 / 12": the last five minutes, the last hour. */
static const char *
both(struct req *req, int64_t five, int64_t hour)
{
	return arena_printf(req->arena, "%s / %s", view_number(req, five),
	    view_number(req, hour));
}

static const char *
kind_text(struct req *req, const struct attack_seen *seen)
{
	const char *kinds[] = { seen->scanner ? _("Scanner") : NULL,
		seen->burst ? _("Burst") : NULL,
		seen->hour.logins >= 5 ? _("Tries passwords") : NULL,
		seen->hour.limited ? _("Too often") : NULL };
	const char *text = "";

	for (size_t i = 0; i < LENGTH(kinds); i++)
		if (kinds[i])
			text = arena_printf(req->arena, "%s%s%s", text,
			    *text ? ", " : "", kinds[i]);
	return *text ? text : "–";
}

/* Only administrators may know who it was. */
int
panel_address_rows(struct panel_page *page, json_t *table)
{
	struct req *req = page->req;
	struct attack_seen *list =
	    arena_alloc(req->arena, ADDRESSES * sizeof(*list));
	size_t n = attack_list(page->now, list, ADDRESSES);
	bool whole = strcmp(req->sess->role, "admin") == 0;

	for (size_t i = 0; i < n; i++) {
		const struct attack_seen *s = &list[i];
		char masked[ATTACK_ADDR];

		attack_mask(s->addr, masked);
		panel_row(table, whole ? s->addr : masked,
		    both(req, s->five.logins, s->hour.logins),
		    both(req, s->five.errors, s->hour.errors),
		    both(req, s->five.unknown, s->hour.unknown),
		    both(req, s->five.limited, s->hour.limited),
		    kind_text(req, s), view_time(req, s->last),
		    *s->path ? s->path : "–", NULL);
	}
	return RC_OK;
}
