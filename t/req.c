/* A request without a server, for unit tests; see req.h. */
#include "req.h"

#include "../lib/log.h"

#include <sys/mman.h>
#include <unistd.h>

enum { ARENA_CAP = 16 << 20, BUF_CAP = 1 << 20, LOG_CAP = 64 << 10 };

struct test_req {
	struct req req; /* first: it is what the tests hold */
	struct conf conf;
	struct buf headers, out;
};

static struct test_req the_request;
static struct arena *the_arena; /* of the_request, NULL: none lives */
static int log_fd = -1;

static void *
json_take(size_t size)
{
	return arena_alloc(the_arena, size);
}

static void
json_give(void *p)
{
	(void)p;
}

/* The log goes to memory, by a name that log_open() can open. */
static void
open_log(void)
{
	char path[40];

	if (log_fd >= 0)
		return;
	log_fd = memfd_create("log", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", log_fd);
	if (log_fd < 0 || log_open("test", path) != RC_OK)
		abort();
}

struct req *
test_req_open(void)
{
	struct test_req *t = &the_request;

	if (the_arena)
		abort();
	open_log();
	*t = (struct test_req){ 0 };
	t->conf.form_limit = 65536;
	t->headers.max = t->out.max = BUF_CAP;
	t->req.conf = &t->conf;
	t->req.headers = &t->headers;
	t->req.out = &t->out;
	t->req.method = "GET";
	t->req.path = "/";
	t->req.query = "";
	t->req.trace = "0123456789abcdef0123456789abcdef";
	t->req.span = "0123456789abcdef";
	t->req.addr = "192.0.2.1";
	t->req.lang = LANG_EN;
	t->req.arena = the_arena = arena_open(ARENA_CAP);
	if (!the_arena)
		abort();
	json_set_alloc_funcs(json_take, json_give);
	return &t->req;
}

static struct test_req *
whole(struct req *req)
{
	return (struct test_req *)(void *)req;
}

void
test_req_close(struct req *req)
{
	struct test_req *t = whole(req);

	arena_close(req->arena);
	the_arena = NULL;
	json_set_alloc_funcs(malloc, free);
	buf_free(&t->headers);
	buf_free(&t->out);
}

struct conf *
test_req_conf(struct req *req)
{
	return &whole(req)->conf;
}

const char *
test_req_headers(const struct req *req)
{
	return req->headers->len ? req->headers->data : "";
}

const char *
test_log(void)
{
	static char lines[LOG_CAP + 1];
	ssize_t n;

	open_log();
	n = pread(log_fd, lines, LOG_CAP, 0);
	lines[n > 0 ? n : 0] = '\0';
	if (ftruncate(log_fd, 0) != 0)
		abort();
	return lines;
}
