/*
 * backend -- what the tests of db and cache share: a request without a
 * program around it, and servers that do not answer.
 */
#ifndef SEOGA_TEST_BACKEND_H
#define SEOGA_TEST_BACKEND_H

#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "req.h"

static struct arena *test_arena;

static inline void *
test_alloc(size_t size)
{
	return arena_alloc(test_arena, size);
}

static inline void
test_free(void *p ATTR_UNUSED)
{
}

/* A configuration with short deadlines for the backend at place. */
static inline struct conf
test_conf(const char *place)
{
	return (struct conf){ .db_hosts = place,
		.db_user = "root",
		.db_password = "",
		.redis_hosts = place,
		.redis_password = "",
		.connect_ms = 500,
		.command_ms = 1000 };
}

/* As route_run() does it: jansson takes from the request's memory. */
static inline void
test_req_open(struct req *req, const struct conf *conf)
{
	test_arena = arena_open(64 << 20);
	json_set_alloc_funcs(test_alloc, test_free);
	*req = (struct req){ .conf = conf, .arena = test_arena };
}

/* The next request of the same worker. */
static inline void
test_req_next(struct req *req)
{
	arena_reset(req->arena);
	req->fail_code = RC_OK;
	req->fail_text = NULL;
	req->retry_after = 0;
	req->db_count = req->redis_count = 0;
}

static inline void
test_req_close(struct req *req)
{
	arena_close(req->arena);
	test_arena = NULL;
}

/* A socket that takes connections and never says a word.  Returns its
 * descriptor; path is where it is. */
static inline int
test_mute_open(char path[108])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/seoga-XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!mkdtemp(dir))
		g_error("no folder");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/mute", dir);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, 16) < 0)
		g_error("no socket");
	memcpy(path, addr.sun_path, sizeof(addr.sun_path));
	return fd;
}

static inline void
test_mute_close(int fd, char path[108])
{
	close(fd);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

/* What was logged since the last call (the log goes to this file). */
static inline char *
test_log_take(const char *file)
{
	char *text = NULL;

	log_flush();
	if (!g_file_get_contents(file, &text, NULL, NULL))
		text = g_strdup("");
	if (truncate(file, 0) < 0)
		g_error("no log");
	return text;
}

/* Milliseconds since a time of log_now(). */
static inline int
test_ms(int64_t begin)
{
	return (int)((log_now() - begin) / 1000);
}

#endif
