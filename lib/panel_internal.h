/*
 * panel_internal -- what the figures of a page are made from: read at most
 * once for all of its panels.
 */
#ifndef SEOGA_PANEL_INTERNAL_H
#define SEOGA_PANEL_INTERNAL_H

#include "attack.h"
#include "history.h"
#include "panel.h"
#include "trend.h"

#define PANEL_POINTS 60 /* of a chart */
#define PANEL_SECONDS 3600

struct panel_page {
	struct req *req;
	const char *route;	   /* NULL: all */
	int64_t now;		   /* seconds since 1970 */
	struct trend *moments;	   /* PANEL_POINTS + 1 */
	struct history_sum *parts; /* PANEL_POINTS */
	struct trend newest;
	json_t *db, *redis; /* of vitals.h; NULL until asked */
	json_t *days;	    /* of sales.h */
	int64_t attacks[ATTACK_MINUTES][ATTACK_KINDS];

	/* Whose figure is wanted: of one point of a chart, or of the last
	 * hour. */
	const struct trend *from, *to;
	const struct history_sum *sum;
	size_t point; /* PANEL_POINTS: the hour */
};

typedef double
panel_value(struct panel_page *page, const struct panel_line *line);
typedef int panel_rows(struct panel_page *page, json_t *table);

/* From metric.h: which is a counter, a gauge, a cache or a trend_code. */
panel_value panel_count, panel_a_second, panel_a_minute, panel_gauge;
panel_value panel_codes, panel_code_part, panel_bytes_a_second;
panel_value panel_cache_part, panel_none_part, panel_searches, panel_dropped;
/* which: of how many percent of the requests it is the longest. */
panel_value panel_edge_took, panel_sql_took, panel_redis_took;
panel_value panel_sql_rate, panel_redis_rate;
panel_value panel_busy_part, panel_connections_part, panel_redis_part;
panel_value panel_workers, panel_starts, panel_crashes, panel_instances;
/* which: a breaker_backend. */
panel_value panel_breaker_open;
/* From history.h, of the chosen route. */
panel_value panel_route_rate, panel_route_part, panel_route_took;
/* name: in vitals.h's figures. */
panel_value panel_db, panel_db_hits, panel_db_fill;
panel_value panel_redis, panel_redis_hits;
/* which: days up to today. */
panel_value panel_revenue;
/* which: an attack_kind. */
panel_value panel_attacks;

panel_rows panel_worker_rows, panel_route_rows, panel_table_rows;
panel_rows panel_day_rows, panel_book_rows, panel_address_rows;

/* A row of texts, the first its head; ends with NULL. */
void panel_row(json_t *table, const char *head, ...) __attribute__((sentinel));

const char *panel_text(struct req *req, enum panel_unit unit, double value);

#endif
