/*
 * echo -- a program for t/110-fcgi.t: sends back the body it got, or what the
 * request's parameters ask for instead.
 *
 *	echo BODY_MAX REQUEST_S DRAIN_S [LOG]
 *
 *	SHOW=NAME	sends the parameter NAME
 *	BYTES=N		sends N bytes, byte i is i % 251
 *	SLEEP_MS=N	waits before that
 *	SILENT=1	sends nothing at all
 */
#include "../lib/buf.h"
#include "../lib/fcgi.h"
#include "../lib/log.h"

#include <time.h>
#include <unistd.h>

static struct buf head = BUF_INIT(4096), out = BUF_INIT(8 << 20);

static long
number(const struct fcgi_call *call, const char *name)
{
	const char *value = fcgi_param(call, name);

	return value ? strtol(value, NULL, 10) : 0;
}

static void
wait_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
make_body(const struct fcgi_call *call)
{
	const char *show = fcgi_param(call, "SHOW");
	const char *shown = show ? fcgi_param(call, show) : NULL;
	long bytes = number(call, "BYTES");
	const unsigned char *body;
	size_t len;

	body = fcgi_body(call, &len);
	if (show)
		buf_str(&out, shown ? shown : "(absent)");
	else if (bytes)
		for (long i = 0; i < bytes; i++)
			buf_char(&out, (char)(i % 251));
	else if (len)
		buf_add(&out, body, len);
}

static void
serve(struct fcgi_call *call, void *arg)
{
	size_t len;
	int rc;

	(void)arg;
	log_begin("");
	wait_ms(number(call, "SLEEP_MS"));
	if (number(call, "SILENT"))
		return;
	buf_reset(&head);
	buf_reset(&out);
	make_body(call);
	fcgi_body(call, &len);
	buf_printf(&head, "X-Rc: %d\r\nX-Len: %zu\r\nX-Pid: %ld\r\n",
	    fcgi_body_rc(call), len, (long)getpid());
	rc = fcgi_reply(call, head.data, head.len, out.data, out.len);
	log_event(LOG_INFO, "req.end");
	log_int("rc", rc);
	log_end();
	log_flush();
}

int
main(int argc, char **argv)
{
	struct fcgi_options options = { .serve = serve, .reopen = log_reopen };
	int status;

	if (argc < 4)
		return EXIT_FAILURE;
	options.body_max = strtoul(argv[1], NULL, 10);
	options.request_s = (int)strtol(argv[2], NULL, 10);
	options.drain_s = (int)strtol(argv[3], NULL, 10);
	if (log_open("echo", argv[4]) != RC_OK)
		return EXIT_FAILURE;
	status = fcgi_loop(&options);
	buf_free(&head);
	buf_free(&out);
	return status;
}
