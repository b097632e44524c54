/* instance -- see instance.h. */
#include "instance.h"

#include "cache.h"
#include "hash.h"
#include "metric.h"
#include "model.h"

#include <time.h>
#include <unistd.h>

#define SET "instances"
#define HOST_SIZE 65

/* --- to say so --- */

static const char *
my_host(struct req *req)
{
	char host[HOST_SIZE] = "";

	gethostname(host, sizeof(host) - 1);
	return arena_strdup(req->arena, host);
}

const char *
instance_name(struct req *req)
{
	const char *folder = req->conf->var_dir ? req->conf->var_dir : "";

	/* Different folders shall have different names, no more. */
	return arena_printf(req->arena, "%s:%08x", my_host(req),
	    (uint32_t)hash_of(folder, strlen(folder)));
}

struct census {
	int workers, busy, programs;
};

static void
count_workers(struct census *census)
{
	const struct metric_board *board = metric_board();
	bool seen[METRIC_ROUTES] = { false };

	*census = (struct census){ 0 };
	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *worker = &board->workers[i];
		uint64_t route = atomic_load(&worker->route);

		if (!atomic_load(&worker->pid))
			continue;
		census->workers++;
		census->busy += atomic_load(&worker->busy) != 0;
		if (route >= METRIC_ROUTES || seen[route])
			continue;
		seen[route] = true;
		census->programs++;
	}
}

static const char *
number(struct req *req, int64_t n)
{
	return arena_printf(req->arena, "%lld", (long long)n);
}

int
instance_beat(struct req *req)
{
	int64_t now = (int64_t)time(NULL);
	struct cache_reply **replies;
	struct census census;
	const char *name = instance_name(req), *key;

	key = arena_printf(req->arena, "instance:%s", name);
	count_workers(&census);
	cache_queue(req, "HSET", key, "host", my_host(req), "pid",
	    number(req, getpid()), "started",
	    number(req, (int64_t)atomic_load(&metric_board()->begun)),
	    "version", PACKAGE_VERSION, "workers", number(req, census.workers),
	    "busy", number(req, census.busy), "programs",
	    number(req, census.programs), "seen", number(req, now), NULL);
	cache_queue(req, "EXPIRE", key, number(req, INSTANCE_LIFE_S), NULL);
	cache_queue(req, "ZADD", SET, number(req, now), name, NULL);
	cache_queue(req, "ZREMRANGEBYSCORE", SET, "-inf",
	    number(req, now - 2 * INSTANCE_LIFE_S), NULL);
	return cache_run(req, &replies);
}

/* --- to read it --- */

static void
set_number(json_t *instance, const char *name, const struct cache_reply *hash)
{
	const char *text = cache_field(hash, name);

	model_set_int(instance, name, text ? strtoll(text, NULL, 10) : 0);
}

static void
set_text(json_t *instance, const char *name, const char *text)
{
	json_t *value = json_string(text ? text : "");

	model_set(instance, name, value ? value : json_string("?"));
}

static json_t *
instance_of(const char *name, const struct cache_reply *hash)
{
	static const char *const numbers[] = { "pid", "started", "workers",
		"busy", "programs", "seen" };
	json_t *instance = json_object();

	set_text(instance, "name", name);
	set_text(instance, "host", cache_field(hash, "host"));
	set_text(instance, "version", cache_field(hash, "version"));
	for (size_t i = 0; i < LENGTH(numbers); i++)
		set_number(instance, numbers[i], hash);
	model_set_int(instance, "seen",
	    (int64_t)time(NULL) - model_int(instance, "seen"));
	return instance;
}

static int
by_text(const void *a, const void *b)
{
	const struct cache_reply *const *ra = a, *const *rb = b;

	return strcmp((*ra)->s, (*rb)->s);
}

int
instance_list(struct req *req, json_t **list)
{
	struct cache_reply *names, **hashes;
	int rc = cache_command(req, &names, "ZRANGE", SET, "0", "-1", NULL);

	if (rc < 0)
		return rc;
	if (names->type != CACHE_LIST)
		return req_bug(req);
	if (names->len)
		qsort(names->list, names->len, sizeof(names->list[0]), by_text);
	for (size_t i = 0; i < names->len; i++)
		cache_queue(req, "HGETALL",
		    arena_printf(req->arena, "instance:%s", names->list[i]->s),
		    NULL);
	rc = cache_run(req, &hashes);
	if (rc < 0)
		return rc;
	*list = json_array();
	for (size_t i = 0; i < names->len; i++) {
		if (hashes[i]->type == CACHE_LIST && hashes[i]->len)
			json_array_append_new(
			    *list, instance_of(names->list[i]->s, hashes[i]));
	}
	return RC_OK;
}
