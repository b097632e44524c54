/* job -- see job.h. */
#include "job.h"

#include "command.h"
#include "log.h"
#include "metric.h"
#include "secret.h"

#include <signal.h>
#include <time.h>

#define FIRST_WAIT_MS 200 /* after a failure; doubles */
#define LONGEST_WAIT_MS 5000
#define SPAN_DIGITS 16

/* Signals are taken between rounds only, so they are blocked all along. */
static void
block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/* Rests; false when the job has been told to leave. */
static bool
rest(const sigset_t *signals, int64_t ms)
{
	int64_t end = log_now() + ms * 1000;

	while (true) {
		int64_t left = end - log_now();
		struct timespec t = { 0 };
		int signum;

		if (left > 0) {
			t.tv_sec = left / 1000000;
			t.tv_nsec = left % 1000000 * 1000;
		}
		signum = sigtimedwait(signals, NULL, &t);
		if (signum == SIGTERM || signum == SIGINT)
			return false;
		if (signum == SIGUSR1)
			log_reopen();
		else if (left <= 0)
			return true;
	}
}

/* Those who failed together should not come back together. */
static int
wait_ms(int failures)
{
	int ms = FIRST_WAIT_MS;

	while (--failures > 0 && ms < LONGEST_WAIT_MS)
		ms *= 2;
	if (ms > LONGEST_WAIT_MS)
		ms = LONGEST_WAIT_MS;
	return ms / 2 + (int)secret_below((uint32_t)ms / 2 + 1);
}

static void
log_round(const struct req *req, int rc, size_t done, int64_t us)
{
	log_event(LOG_INFO, "job.round");
	log_str("span", req->span);
	log_int("done", (int64_t)done);
	log_int("db", req->db_count);
	log_int("redis", req->redis_count);
	if (rc < 0)
		log_str("failed", req->fail_text ? req->fail_text : "");
	log_int("us", us);
	log_end();
}

/* One round with a trace of its own; base is a request as new. */
static int
run_round(const struct job *job, const struct req *base, size_t *done)
{
	char trace[SECRET_TOKEN_SIZE], span[SECRET_TOKEN_SIZE];
	struct req req = *base;
	int64_t begin;
	int rc;

	secret_token(trace);
	secret_token(span);
	span[SPAN_DIGITS] = '\0';
	req.trace = trace;
	req.span = span;
	req.sampled = (int)secret_below(10000) < req.conf->trace_rate;
	*done = 0;
	metric_busy(true);
	begin = log_begin(trace);
	log_keep();
	log_sampled(req.sampled);
	rc = job->round(&req, done);
	log_trace(trace);
	log_sampled(req.sampled);
	log_round(&req, rc, *done, log_now() - begin);
	if (rc == RC_OK && *done == 0)
		log_drop();
	else
		log_flush();
	arena_reset(req.arena);
	metric_busy(false);
	return rc;
}

static void
run(const struct job *job, const struct req *base)
{
	sigset_t signals;
	int64_t ms = 0;
	int failures = 0;
	size_t done;

	block_signals(&signals);
	log_msg(LOG_INFO, "job.start", "%s", job->name);
	while (rest(&signals, ms)) {
		if (run_round(job, base, &done) < 0) {
			ms = wait_ms(++failures);
		} else {
			failures = 0;
			ms = done ? 0 : job->rest_ms;
		}
	}
	log_msg(LOG_INFO, "job.stop", "%s", job->name);
}

/* Until there is nothing more to do. */
static int
run_once(const struct job *job, const struct req *base)
{
	size_t done;

	do {
		if (run_round(job, base, &done) < 0)
			return EXIT_FAILURE;
	} while (done);
	return EXIT_SUCCESS;
}

int
job_run(int argc, char **argv, const struct job *job)
{
	bool once = argc == 2 && strcmp(argv[1], "--once") == 0;
	int status = EXIT_SUCCESS;
	struct req req;

	command_begin(job->name);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(job->usage);
		return EXIT_SUCCESS;
	}
	if (argc > 1 && !once)
		command_die("%s", job->usage);
	command_open_job(&req, job->name);
	if (!job->aside)
		log_open_ring(req.conf->ring_file);
	if (once)
		status = run_once(job, &req);
	else
		run(job, &req);
	command_close(&req);
	log_open_ring(NULL);
	return status;
}
