/*
 * seoga figures -- how the site is just now, for a terminal: requests,
 * errors, times, workers, memory, and both backends.  Works also while these
 * are away; `seoga status` ends with it.
 */
#include "command.h"
#include "model.h"
#include "status.h"

#define USAGE \
	"usage: seoga figures [--json]\n" \
	"How the site of this host is just now: what nginx answered in the" \
	" last 1, 5 and\n60 minutes, workers, memory, MariaDB, Redis," \
	" queues.  --json: all of it."
#define DEADLINE_MS 1000 /* nobody waits longer for what is away */

static void
print_window(struct req *req, const json_t *w)
{
	printf("last %2lld min   %8s/s   5xx %s   4xx %s   p50 %s   p95 %s"
	       "   p99 %s",
	    (long long)model_int(w, "asked_s") / 60,
	    status_text(req, CHART_NUMBER, w, "per_s"),
	    status_text(req, CHART_NUMBER, w, "failed5"),
	    status_text(req, CHART_NUMBER, w, "failed4"),
	    status_text(req, CHART_US, w, "p50_us"),
	    status_text(req, CHART_US, w, "p95_us"),
	    status_text(req, CHART_US, w, "p99_us"));
	if (model_int(w, "covered_s") < model_int(w, "asked_s"))
		printf("   (%s covered)",
		    status_text(req, CHART_SECONDS, w, "covered_s"));
	putchar('\n');
}

static void
print_db(struct req *req, const json_t *db)
{
	if (!json_is_object(db)) {
		puts("MariaDB       does not answer");
		return;
	}
	printf("MariaDB       %s, up %s, connections %s of %s, replicas %s\n",
	    model_text(db, "version"),
	    status_text(req, CHART_SECONDS, db, "uptime_s"),
	    status_text(req, CHART_NUMBER, db, "connections"),
	    status_text(req, CHART_NUMBER, db, "connections_max"),
	    status_text(req, CHART_NUMBER, db, "replicas"));
}

static void
print_redis(struct req *req, const json_t *redis)
{
	if (!json_is_object(redis)) {
		puts("Redis         does not answer");
		return;
	}
	printf("Redis         %s, up %s, memory %s of %s, replicas %zu\n",
	    model_text(redis, "version"),
	    status_text(req, CHART_SECONDS, redis, "uptime_s"),
	    status_text(req, CHART_BYTES, redis, "memory"),
	    status_text(req, CHART_BYTES, redis, "memory_max"),
	    json_array_size(json_object_get(redis, "replicas")));
}

static void
print_memory(struct req *req, const json_t *memory)
{
	const json_t *one;
	size_t i;

	printf(
	    "memory        %s", status_text(req, CHART_BYTES, memory, "bytes"));
	json_array_foreach(json_object_get(memory, "parts"), i, one)
		printf("%s %s %s", i ? "," : ":", model_text(one, "part"),
		    status_text(req, CHART_BYTES, one, "bytes"));
	putchar('\n');
}

static void
print_all(struct req *req, const json_t *f)
{
	const json_t *workers = json_object_get(f, "workers");
	const json_t *q = json_object_get(f, "queues"), *one;
	size_t i;

	puts("Requests, as nginx answered them");
	json_array_foreach(json_object_get(f, "windows"), i, one)
		print_window(req, one);
	printf("workers       %s busy of %s, %s crashed\n",
	    status_text(req, CHART_NUMBER, workers, "busy"),
	    status_text(req, CHART_NUMBER, workers, "workers"),
	    status_text(req, CHART_NUMBER, workers, "crashes"));
	print_memory(req, json_object_get(f, "memory"));
	print_db(req, json_object_get(f, "mariadb"));
	print_redis(req, json_object_get(f, "redis"));
	printf("queues        outbox %s, stream %s, not counted %s, dead %s\n",
	    status_text(req, CHART_NUMBER, q, "outbox"),
	    status_text(req, CHART_NUMBER, q, "length"),
	    status_text(req, CHART_NUMBER, q, "lag"),
	    status_text(req, CHART_NUMBER, q, "dead"));
	json_array_foreach(status_worries(req, f), i, one)
		printf("! %s\n", model_text(one, "text"));
}

int
main(int argc, char **argv)
{
	bool as_json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct req req;
	json_t *figures;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts(USAGE);
		return EXIT_SUCCESS;
	}
	command_begin("figures");
	if (argc > 1 && !as_json)
		command_die("%s", USAGE);
	command_open_hurried(&req, "figures", DEADLINE_MS);
	figures = status_figures(&req);
	if (as_json) {
		json_dumpf(figures, stdout, JSON_INDENT(1));
		putchar('\n');
	} else {
		print_all(&req, figures);
	}
	command_close(&req);
	return EXIT_SUCCESS;
}
