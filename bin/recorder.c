/*
 * seoga recorder -- a job: takes what workers and nginx have logged, counts
 * what is to be counted, and keeps traces in Redis for a while.
 *
 * One for each host, as what it reads is there.  A second one of the same
 * instance waits until the first is gone.
 */
#include "recorder.h"

#include "attack.h"
#include "buf.h"
#include "history.h"
#include "instance.h"
#include "job.h"
#include "log.h"
#include "logline.h"
#include "metric.h"
#include "ring.h"
#include "steps.h"
#include "trend.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define REST_MS 150
#define BATCH ((size_t)256 * 1024) /* bytes of a trip to Redis */
#define TRIPS 16		   /* in a round */
#define TRY_AGAIN_US (INT64_C(10) * 1000000)
#define MAGIC UINT64_C(0x5365676f61526331)

static int
note_step(struct req *req)
{
	const struct conf *conf = req->conf;

	if (!steps_due(conf->history_step_s, history_noted(conf)))
		return RC_OK;
	history_note(conf);
	trend_note(conf);
	return RC_OK;
}

static int
bury_workers(struct req *req ATTR_UNUSED)
{
	metric_bury();
	return RC_OK;
}

/* --- who is told of what ------------------------------------------------ */

/* Of each line that passes; of nginx's, those that tell of a failure. */
static recorder_line *const lines[] = {
	attack_note,
};

/* Every few seconds. */
static const struct recorder_task tasks[] = {
	{ 1, note_step },
	{ 5, bury_workers },
	{ INSTANCE_BEAT_S, instance_beat },
	{ 1, gauges_set },
};

/* ------------------------------------------------------------------------ */

static struct {
	bool ours; /* we are the one */
	struct ring *ring;
	int64_t ring_at; /* when to try to open it */
	struct recorder_memory *memory;
	int64_t due[LENGTH(tasks)];
} state;

static void
tell(const char *line, size_t len)
{
	for (size_t i = 0; i < LENGTH(lines); i++)
		lines[i](line, len);
}

static void
tell_all(const char *text, size_t len)
{
	const char *end;

	for (; len; len -= (size_t)(end - text), text = end) {
		end = memchr(text, '\n', len);
		end = end ? end + 1 : text + len;
		share_note(text, (size_t)(end - text));
		tell(text, (size_t)(end - text));
	}
}

static void
run_tasks(struct req *req)
{
	int64_t now = log_now();

	for (size_t i = 0; i < LENGTH(tasks); i++) {
		if (now < state.due[i])
			continue;
		state.due[i] = now + tasks[i].every_s * INT64_C(1000000);
		if (tasks[i].run(req) < 0)
			req_forgive(req);
	}
}

/* --- start --- */

static const char *
shared_path(struct req *req)
{
	const struct conf *conf = req->conf;

	return conf->ring_file ? conf->ring_file : conf->metric_file;
}

/* False while another one has it.  Nothing is said of a file that cannot be
 * made: the ring beside it cannot either, of which something is said. */
static bool
lock(const char *path)
{
	static int fd = -1;

	if (fd < 0)
		fd =
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void
open_memory(const char *path)
{
	static struct recorder_memory own;

	state.memory = shared_map(path, sizeof(*state.memory), MAGIC);
	if (!state.memory) {
		log_msg(
		    LOG_WARN, "recorder.file", "%s: %s", path, strerror(errno));
		state.memory = &own;
	}
}

static void
open_ring(const struct conf *conf)
{
	if (state.ring || !conf->ring_file || log_now() < state.ring_at)
		return;
	state.ring_at = log_now() + TRY_AGAIN_US;
	state.ring = ring_open(conf->ring_file);
	if (!state.ring)
		log_msg(LOG_WARN, "ring.file", "%s: %s", conf->ring_file,
		    strerror(errno));
}

/* True when this is the recorder of the instance. */
static bool
begin(struct req *req)
{
	const char *path;

	if (state.ours || !shared_path(req))
		return state.ours;
	path = arena_printf(req->arena, "%s.recorder", shared_path(req));
	if (!lock(path))
		return false;
	state.ours = true;
	open_memory(path);
	attack_open(req->conf);
	if (req->conf->var_dir)
		follow_open(arena_printf(req->arena, "%s/log/access.log",
				req->conf->var_dir),
		    state.memory);
	return true;
}

/* --- nginx --- */

/* Each line of the busiest log passes here, so it is read once. */
static void
take_edge(const char *line, size_t len, void *arg ATTR_UNUSED)
{
	static const char *const keys[] = { "trace", "flags", "status", "bytes",
		"request_time", "upstream_response_time" };
	struct logline_value v[LENGTH(keys)];
	int status;

	if (!logline_find_all(line, len, keys, LENGTH(keys), v) || !v[2].s)
		return;
	status = (int)logline_int(&v[2], 0);
	metric_edge(status, logline_us(&v[4], 0), logline_int(&v[3], 0));
	if (status >= 400)
		tell(line, len);
	if (v[1].s && logline_is(&v[1], "01") &&
	    share_has(state.ring, &v[0], v[5].len > 0))
		store_line(line, len);
}

/* --- programs --- */

/* What found no room since it was last counted. */
static void
count_dropped(void)
{
	uint64_t now = (uint64_t)ring_dropped(state.ring);
	uint64_t before = atomic_exchange(&state.memory->dropped, now);

	if (now > before)
		metric_add(METRIC_TRACES_DROPPED, (int64_t)(now - before));
}

/* About as much as fits into a trip; false when there is no more. */
static bool
take_ring(void)
{
	struct buf *waiting = store_waiting();
	size_t old = waiting->len, max = waiting->max;

	if (max - old > BATCH)
		waiting->max = old + BATCH;
	ring_take(state.ring, waiting);
	waiting->max = max;
	if (waiting->len > old)
		tell_all(waiting->data + old, waiting->len - old);
	return waiting->len - old > BATCH / 2;
}

static void
take_programs(struct req *req)
{
	if (!state.ring)
		return;
	for (int i = 0; i < TRIPS && take_ring(); i++)
		store_send(req);
	count_dropped();
}

/* --- the round --- */

static int
round_of_recorder(struct req *req, size_t *done ATTR_UNUSED)
{
	if (!begin(req))
		return RC_OK;
	run_tasks(req);
	open_ring(req->conf);
	if (state.ring)
		share_set(state.ring, req->conf->trace_per_s, log_now());
	take_programs(req);
	while (follow_read(take_edge, NULL))
		store_send(req);
	store_send(req);
	return RC_OK;
}

static const struct job recorder = {
	.name = "recorder",
	.usage =
	    "usage: seoga recorder [--once]\n"
	    "Takes what workers and nginx have logged, counts it, and keeps"
	    " traces in\nRedis, until it is told to leave.  The site keeps"
	    " it running: see doc/jobs.md.",
	.round = round_of_recorder,
	.rest_ms = REST_MS,
	.aside = true,
};

int
main(int argc, char **argv)
{
	int status = job_run(argc, argv, &recorder);

	gauges_close();
	store_close();
	follow_close();
	ring_close(state.ring);
	return status;
}
