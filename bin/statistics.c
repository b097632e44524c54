/*
 * seoga statistics -- a job: counts what was sold, from the events in the
 * queue, each once.
 */
#include "db.h"
#include "job.h"
#include "log.h"
#include "queue.h"
#include "sales.h"
#include "secret.h"

#include <unistd.h>

#define GROUP "statistics"
#define BATCH 100
#define REST_MS 200
#define SPAN_LENGTH 16
#define TIDY_US (INT64_C(60) * 1000000)

/* An entry of the queue, and what it says. */
struct task {
	struct queue_entry entry;
	struct sales_event event;
};

static const char *
consumer_name(struct req *req)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	return arena_printf(req->arena, "%s.%ld", host, (long)getpid());
}

/* Its line belongs to the request that the event tells of, below the span
 * that has sent it. */
static void
log_event_of(const struct req *req, const struct sales_event *event, int64_t us)
{
	bool traced = *event->trace != '\0';
	char span[SECRET_TOKEN_SIZE];

	secret_token(span);
	log_trace(traced ? event->trace : req->trace);
	log_sampled(traced ? event->sampled : req->sampled);
	log_event(
	    LOG_INFO, event->repeated ? "event.repeated" : "event.counted");
	log_strn("span", span, SPAN_LENGTH);
	log_str("parent", traced ? event->parent : req->span);
	log_int("id", event->id);
	log_str("type", event->type);
	log_str("subject", event->subject);
	log_int("us", us);
	log_end();
	log_trace(req->trace);
	log_sampled(req->sampled);
}

static int
failed(struct req *req, const struct queue_entry *entry, int code)
{
	const char *reason =
	    req->fail_text ? req->fail_text : "it cannot be counted";
	int rc;

	/* Nothing is wrong with it when MariaDB or Redis is away. */
	if (code == RC_DOWN)
		return code;
	if (code == RC_BUG)
		reason = "MariaDB refuses what it says";
	rc = queue_failed(req, GROUP, entry, reason);
	req_forgive(req);
	return rc;
}

/* One by one: the one that cannot be counted shall not stop the others. */
static int
count_each(struct req *req, struct task *tasks, size_t n)
{
	int rc;

	for (size_t i = 0; i < n; i++) {
		int64_t begin = log_now();

		rc = sales_count(req, GROUP, &tasks[i].event, 1);
		if (rc < 0) {
			rc = failed(req, &tasks[i].entry, rc);
		} else {
			log_event_of(req, &tasks[i].event, log_now() - begin);
			rc = queue_done(req, GROUP, &tasks[i].entry, 1);
		}
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

/* All in one transaction, which is far quicker. */
static int
count_together(struct req *req, struct task *tasks, size_t n)
{
	struct sales_event *events =
	    arena_alloc(req->arena, n * sizeof(events[0]));
	struct queue_entry *entries =
	    arena_alloc(req->arena, n * sizeof(entries[0]));
	int64_t begin = log_now(), us;
	int rc;

	for (size_t i = 0; i < n; i++) {
		events[i] = tasks[i].event;
		entries[i] = tasks[i].entry;
	}
	rc = sales_count(req, GROUP, events, n);
	if (rc < 0)
		return rc;
	us = log_now() - begin;
	for (size_t i = 0; i < n; i++)
		log_event_of(req, &events[i], us);
	return queue_done(req, GROUP, entries, n);
}

static int
count(struct req *req, struct task *tasks, size_t n)
{
	int rc = n > 1 ? count_together(req, tasks, n) : RC_CONFLICT;

	if (rc == RC_OK || rc == RC_DOWN)
		return rc;
	req_forgive(req);
	return count_each(req, tasks, n);
}

/* What cannot be read is told, what does not count is done; gives the rest
 * as tasks. */
static int
read_entries(struct req *req, const struct queue_entry *entries, size_t n,
    struct task *tasks, size_t *ntasks)
{
	struct queue_entry *others =
	    arena_alloc(req->arena, n * sizeof(others[0]));
	size_t nothers = 0;
	int rc;

	*ntasks = 0;
	for (size_t i = 0; i < n; i++) {
		struct task *task = &tasks[*ntasks];

		task->entry = entries[i];
		rc = sales_read(req, entries[i].json, &task->event);
		if (rc == RC_OK && task->event.counts)
			++*ntasks;
		else if (rc == RC_OK)
			others[nothers++] = entries[i];
		else if ((rc = failed(req, &entries[i], rc)) < 0)
			return rc;
	}
	return queue_done(req, GROUP, others, nothers);
}

/* What was tried before is tried alone: it may be what ended a consumer. */
static int
handle(struct req *req, const struct queue_entry *entries, size_t n)
{
	struct task *tasks = arena_alloc(req->arena, n * sizeof(tasks[0]));
	size_t again = 0, ntasks;
	int rc;

	while (again < n && entries[again].tries > 1)
		again++;
	for (size_t i = 0; i < again; i++) {
		rc = read_entries(req, &entries[i], 1, tasks, &ntasks);
		if (rc < 0 || (rc = count_each(req, tasks, ntasks)) < 0)
			return rc;
	}
	rc = read_entries(req, entries + again, n - again, tasks, &ntasks);
	return rc < 0 || ntasks == 0 ? rc : count(req, tasks, ntasks);
}

static int
tidy(struct req *req)
{
	static int64_t next;
	int rc;

	if (log_now() < next)
		return RC_OK;
	rc = queue_forget_consumers(req, GROUP);
	if (rc == RC_OK)
		next = log_now() + TIDY_US;
	return rc;
}

static int
round_of_statistics(struct req *req, size_t *done)
{
	/* Each reading is a try: none while MariaDB is away. */
	static bool db_was_down;
	struct queue_entry *entries;
	size_t n;
	int rc;

	if (db_was_down && (rc = db_ping(req)) < 0)
		return rc;
	db_was_down = false;
	rc = queue_read(req, GROUP, consumer_name(req), BATCH, &entries, &n);
	if (rc < 0)
		return rc;
	*done = n;
	rc = n ? handle(req, entries, n) : RC_OK;
	db_was_down = rc == RC_DOWN;
	return rc < 0 ? rc : tidy(req);
}

static const struct job statistics = {
	.name = "statistics",
	.usage = "usage: seoga statistics [--once]\n"
		 "Counts what was sold, from the events in the queue, until it"
		 " is told to\nleave; with --once those that there are.  The"
		 " site keeps it running: see\ndoc/jobs.md.",
	.round = round_of_statistics,
	.rest_ms = REST_MS,
};

int
main(int argc, char **argv)
{
	return job_run(argc, argv, &statistics);
}
