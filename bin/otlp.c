/*
 * seoga otlp -- a job: sends the spans of the traces in Redis to a collector,
 * as OTLP over HTTP in JSON, once normally and at least once.
 *
 * doc/otlp.md says how to set it up, and what becomes of spans that the
 * collector does not take.
 */
#include "otlp.h"
#include "command.h"
#include "job.h"
#include "lock.h"
#include "log.h"
#include "metric.h"
#include "secret.h"
#include "span.h"

#define REST_MS 1000
#define BATCH_SPANS 512
#define BATCH_BYTES ((size_t)1000000)
#define WAIT_FIRST_US 1000000
#define WAIT_MAX_US 60000000
#define LOCK_MS 60000
#define SPAN_BYTES 220 /* of lines, on an average */

struct batch {
	struct buf body;
	size_t spans;
	const struct otlp_trace *first, *end; /* whose spans these are */
};

static struct {
	bool open, told;
	int failures;	    /* in a row */
	int64_t not_before; /* monotonic */
} the;

/* --- a collector that does not take them --- */

static void
log_answer(enum log_level level, const char *event,
    const struct otlp_answer *answer, size_t spans)
{
	log_event(level, event);
	log_int("status", answer->status);
	log_int("spans", (int64_t)spans);
	log_str("why", answer->why);
	log_end();
}

/* Twice as long each time, but for chance: who failed together shall not
 * come together. */
static void
wait_longer(const struct otlp_answer *answer)
{
	int64_t us = WAIT_MAX_US;

	if (the.failures < 6)
		us = WAIT_FIRST_US << the.failures;
	us = us / 2 + (int64_t)secret_below((uint32_t)us / 2 + 1);
	if (us < answer->wait_us)
		us = answer->wait_us;
	the.failures++;
	the.not_before = log_now() + us;
}

/* Returns false when the batch must be sent again. */
static bool
take_answer(const struct otlp_answer *answer, size_t spans)
{
	int64_t lost = answer->rejected;

	if (answer->outcome == OTLP_LATER) {
		log_answer(LOG_WARN, "otlp.later", answer, spans);
		wait_longer(answer);
		return false;
	}
	the.failures = 0;
	if (answer->outcome == OTLP_REFUSED) {
		log_answer(LOG_ERROR, "otlp.refused", answer, spans);
		lost = (int64_t)spans;
	} else if (lost > 0) {
		log_answer(LOG_WARN, "otlp.rejected", answer, (size_t)lost);
	}
	if (lost > (int64_t)spans)
		lost = (int64_t)spans;
	metric_add(METRIC_SPANS_DROPPED, lost);
	metric_add(METRIC_SPANS_EXPORTED, (int64_t)spans - lost);
	return true;
}

/* --- batches --- */

static bool
send_batch(struct batch *batch)
{
	struct otlp_answer answer;

	if (batch->spans == 0)
		return true;
	otlp_end(&batch->body);
	otlp_send(batch->body.data, batch->body.len, &answer);
	if (!take_answer(&answer, batch->spans))
		return false;
	for (; batch->first < batch->end; batch->first++)
		otlp_sent(batch->first);
	batch->spans = 0;
	otlp_begin(&batch->body);
	return true;
}

static json_t *
trees_of(const struct otlp_trace *trace)
{
	json_t *lines = json_array(), *trees, *line;

	for (size_t i = 0; i < trace->n; i++) {
		line = json_loadb(trace->line[i], trace->len[i], 0, NULL);
		if (json_is_object(line))
			json_array_append(lines, line);
		json_decref(line);
	}
	trees = span_trees(lines);
	json_decref(lines);
	return trees;
}

static size_t
add_trace(struct batch *batch, const struct otlp_trace *trace)
{
	json_t *trees = trees_of(trace);
	size_t n = otlp_add(&batch->body, trees, batch->spans);

	batch->spans += n;
	batch->end = trace + 1;
	json_decref(trees);
	return n;
}

static bool
has_room(const struct batch *batch, const struct otlp_trace *next)
{
	return batch->spans == 0 ||
	    (batch->spans + next->n <= BATCH_SPANS &&
		batch->body.len < BATCH_BYTES / 2);
}

/* False when the collector cannot take them now. */
static bool
send_all(const struct otlp_window *window, size_t *sent)
{
	/* A trace is never in two batches, however large it is. */
	static struct batch batch = { .body = BUF_INIT(1 << 26) };
	bool taken = true;

	otlp_begin(&batch.body);
	batch.spans = 0;
	batch.first = batch.end = window->traces;
	for (size_t i = 0; taken && i < window->n; i++) {
		if (!has_room(&batch, &window->traces[i]))
			taken = send_batch(&batch);
		if (taken)
			*sent += add_trace(&batch, &window->traces[i]);
	}
	return taken && send_batch(&batch);
}

/* --- rounds --- */

static void
count_lost(void)
{
	int64_t bytes = otlp_lost();
	struct otlp_answer none = { .why = "they went away unsent" };

	if (bytes == 0)
		return;
	log_answer(LOG_WARN, "otlp.lost", &none, (size_t)(bytes / SPAN_BYTES));
	metric_add(METRIC_SPANS_DROPPED, bytes / SPAN_BYTES);
}

static int export(struct req *req, size_t *done)
{
	struct otlp_window window;
	size_t sent = 0;
	int rc = otlp_read(req, &window);

	if (rc < 0)
		return rc;
	count_lost();
	if (!send_all(&window, &sent) || !window.is_new)
		return RC_OK;
	rc = otlp_read_on(req, &window);
	*done = rc == RC_OK ? sent : 0;
	return rc;
}

static bool
is_set_up(struct req *req)
{
	if (the.open)
		return true;
	if (!req->conf->otlp_endpoint) {
		if (!the.told)
			log_msg(LOG_WARN, "otlp.off",
			    "SEOGA_OTLP_ENDPOINT is not set");
		the.told = true;
		return false;
	}
	if (!otlp_open(req->conf))
		command_die("it cannot begin");
	the.open = true;
	return true;
}

/* One process at a time, for they share the place. */
static int
round_of_otlp(struct req *req, size_t *done)
{
	struct lock lock;
	int rc;

	if (!is_set_up(req) || log_now() < the.not_before)
		return RC_OK;
	rc = lock_take(req, "otlp", LOCK_MS, &lock);
	if (rc == RC_CONFLICT)
		return RC_OK;
	if (rc < 0)
		return rc;
	rc = export(req, done);
	lock_release(req, &lock);
	return rc;
}

static const struct job otlp = {
	.name = "otlp",
	.usage = "usage: seoga otlp [--once]\n"
		 "Sends traces to the collector of SEOGA_OTLP_ENDPOINT, until"
		 " it is told to\nleave; with --once those that there are:"
		 " doc/otlp.md.",
	.round = round_of_otlp,
	.rest_ms = REST_MS,
	.aside = true,
};

int
main(int argc, char **argv)
{
	return job_run(argc, argv, &otlp);
}
