/* history_hours -- the hours of the last 30 days, in MariaDB. */
#include "history_internal.h"

#include "db.h"
#include "instance.h"
#include "log.h"
#include "model.h"

#include <time.h>

#define HOUR_S 3600
#define TIME_SIZE 20 /* "2026-11-21 20:00:00" */

/*
 * What becomes of it may stay unknown, when the link dies on the way: so each
 * part has a number, and a row takes only numbers above the last it took.
 * The assignments are made in their order: the number is the last.
 */
static const struct db_stmt ADD = { "history.add",
	"INSERT INTO service_hours (hour, host, number, ms, down_ms,"
	" requests, failed4, failed5, slow, sum_us)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
	" ms = ms + IF(VALUES(number) > number, VALUES(ms), 0),"
	" down_ms = down_ms + IF(VALUES(number) > number, VALUES(down_ms), 0),"
	" requests = requests + IF(VALUES(number) > number,"
	" VALUES(requests), 0),"
	" failed4 = failed4 + IF(VALUES(number) > number,"
	" VALUES(failed4), 0),"
	" failed5 = failed5 + IF(VALUES(number) > number,"
	" VALUES(failed5), 0),"
	" slow = slow + IF(VALUES(number) > number, VALUES(slow), 0),"
	" sum_us = sum_us + IF(VALUES(number) > number, VALUES(sum_us), 0),"
	" number = GREATEST(number, VALUES(number))" };
static const struct db_stmt PRUNE = { "history.prune",
	"DELETE FROM service_hours WHERE hour < ? LIMIT 1000" };
static const struct db_stmt SUM = { "history.sum",
	"SELECT CAST(COALESCE(SUM(ms), 0) / 1000 AS SIGNED) AS seconds,"
	" CAST(COALESCE(SUM(down_ms), 0) / 1000 AS SIGNED) AS down_s,"
	" CAST(COALESCE(SUM(requests), 0) AS SIGNED) AS requests,"
	" CAST(COALESCE(SUM(failed4), 0) AS SIGNED) AS failed4,"
	" CAST(COALESCE(SUM(failed5), 0) AS SIGNED) AS failed5,"
	" CAST(COALESCE(SUM(slow), 0) AS SIGNED) AS slow,"
	" CAST(COALESCE(SUM(sum_us), 0) AS SIGNED) AS sum_us"
	" FROM service_hours FORCE INDEX (PRIMARY) WHERE hour >= ?" };
static const struct db_stmt BY_DAY = { "history.by_day",
	"SELECT CAST(DATE(hour) AS CHAR) AS day,"
	" CAST(SUM(ms) / 1000 AS SIGNED) AS seconds,"
	" CAST(SUM(down_ms) / 1000 AS SIGNED) AS down_s,"
	" CAST(SUM(requests) AS SIGNED) AS requests,"
	" CAST(SUM(failed4) AS SIGNED) AS failed4,"
	" CAST(SUM(failed5) AS SIGNED) AS failed5,"
	" CAST(SUM(slow) AS SIGNED) AS slow,"
	" CAST(SUM(sum_us) AS SIGNED) AS sum_us"
	" FROM service_hours FORCE INDEX (PRIMARY) WHERE hour >= ?"
	" GROUP BY DATE(hour) ORDER BY DATE(hour)" };

static void
time_text(int64_t seconds, char text[TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
}

/* --- what waits --------------------------------------------------------- */

/* A copy to change; with hold() it is what holds, at once and as a whole. */
static struct queue_of_hours *
change(struct history *h)
{
	uint32_t is = atomic_load_explicit(&h->queue, memory_order_relaxed);
	struct queue_of_hours *next = &h->queues[!is];

	memcpy(next, &h->queues[is], sizeof(*next));
	return next;
}

static void
hold(struct history *h, const struct queue_of_hours *next)
{
	atomic_store_explicit(
	    &h->queue, next == &h->queues[1], memory_order_release);
}

static void
take_out(struct queue_of_hours *q, size_t at)
{
	q->n--;
	memmove(&q->hours[at], &q->hours[at + 1],
	    (q->n - at) * sizeof(q->hours[0]));
}

/* The open part of an hour.  Without room the oldest is given up. */
static struct pending *
pending_of(struct queue_of_hours *q, int64_t hour)
{
	for (size_t i = 0; i < q->n; i++) {
		if (q->hours[i].hour == hour && !q->hours[i].number)
			return &q->hours[i];
	}
	if (q->n == PENDING) {
		log_msg(LOG_WARN, "history.lost",
		    "MariaDB is away for too long: figures of an hour go");
		take_out(q, 0);
	}
	q->hours[q->n] = (struct pending){ .hour = hour };
	return &q->hours[q->n++];
}

static void
add_step(const struct history *h, struct queue_of_hours *q, uint32_t step)
{
	struct history_sum sum = { 0 };
	struct moment m;
	struct pending *p;
	int64_t seconds;

	if (!history_moment(h, step, &m))
		return;
	(void)history_add_slot(h, EDGE, step, &sum);
	seconds = m.end / 1000000;
	p = pending_of(q, seconds - seconds % HOUR_S);
	p->ms += m.ms;
	if (history_was_down(&sum))
		p->down_ms += m.ms;
	p->sum.requests += sum.requests;
	p->sum.failed4 += sum.failed4;
	p->sum.failed5 += sum.failed5;
	p->sum.slow += history_slow(&sum);
	p->sum.sum_us += sum.sum_us;
}

/* What was noted since. */
static void
gather(struct history *h)
{
	uint32_t last = atomic_load_explicit(&h->step, memory_order_acquire);
	struct queue_of_hours *q = change(h);

	if (q->step == last)
		return;
	if (last - q->step > HISTORY_STEPS)
		q->step = last - HISTORY_STEPS;
	while (q->step < last)
		add_step(h, q, ++q->step);
	hold(h, q);
}

/* --- on its way --------------------------------------------------------- */

/* A time as a number grows, also when the file is a new one. */
static void
give_number(struct history *h)
{
	struct queue_of_hours *q = change(h);
	int64_t now = log_clock();

	q->number = now > q->number ? now : q->number + 1;
	q->hours[0].number = q->number;
	hold(h, q);
}

static int
send_one(struct req *req, const struct pending *p)
{
	const struct history_service *s = &p->sum;
	char hour[TIME_SIZE];

	time_text(p->hour, hour);
	return db_exec(req, &ADD,
	    DB_ARGS(db_text(hour), db_text(instance_name(req)),
		db_int(p->number), db_int(p->ms), db_int(p->down_ms),
		db_int(s->requests), db_int(s->failed4), db_int(s->failed5),
		db_int(s->slow), db_int(s->sum_us)),
	    NULL, NULL);
}

static struct queue_of_hours *
waiting(struct history *h)
{
	return &h->queues[atomic_load_explicit(
	    &h->queue, memory_order_relaxed)];
}

static int
send_oldest(struct req *req, struct history *h)
{
	struct queue_of_hours *q;
	int rc;

	if (!waiting(h)->hours[0].number)
		give_number(h);
	rc = send_one(req, &waiting(h)->hours[0]);
	if (rc < 0)
		return rc;
	q = change(h);
	take_out(q, 0);
	hold(h, q);
	return RC_OK;
}

static int
prune(struct req *req)
{
	static int64_t next;
	char hour[TIME_SIZE];
	int rc;

	if (log_now() < next)
		return RC_OK;
	time_text((int64_t)time(NULL) - HISTORY_HOURS_KEPT * HOUR_S, hour);
	rc = db_exec(req, &PRUNE, DB_ARGS(db_text(hour)), NULL, NULL);
	if (rc == RC_OK)
		next = log_now() + INT64_C(1000000) * HOUR_S;
	return rc;
}

int
history_store(struct req *req)
{
	struct history *h = history_map(req->conf);
	int rc;

	if (!h)
		return RC_OK;
	gather(h);
	while (waiting(h)->n > 0) {
		rc = send_oldest(req, h);
		if (rc < 0)
			return rc;
	}
	return prune(req);
}

/* --- reading ------------------------------------------------------------ */

static void
first_hour(int hours, char text[TIME_SIZE])
{
	int64_t now = (int64_t)time(NULL);

	time_text(now - now % HOUR_S - (int64_t)(hours - 1) * HOUR_S, text);
}

int
history_hours(struct req *req, int hours, struct history_service *service)
{
	char from[TIME_SIZE];
	json_t *row;
	int rc;

	first_hour(hours, from);
	rc = db_row(req, &SUM, DB_ARGS(db_text(from)), &row);
	if (rc < 0)
		return rc;
	*service = (struct history_service){
		.seconds = model_int(row, "seconds"),
		.down_s = model_int(row, "down_s"),
		.requests = model_int(row, "requests"),
		.failed4 = model_int(row, "failed4"),
		.failed5 = model_int(row, "failed5"),
		.slow = model_int(row, "slow"),
		.sum_us = model_int(row, "sum_us"),
	};
	return RC_OK;
}

int
history_days(struct req *req, int days, json_t **rows)
{
	char from[TIME_SIZE];
	int64_t now = (int64_t)time(NULL);

	time_text(now - now % 86400 - (int64_t)(days - 1) * 86400, from);
	return db_rows(req, &BY_DAY, DB_ARGS(db_text(from)), rows);
}
