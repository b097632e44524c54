/*
 * seoga cache -- what the caches of this host did since the site was started:
 * how often was it there, and how often did MariaDB have to be read?
 */
#include "command.h"
#include "metric.h"

static const char usage[] = "usage: seoga cache\n"
			    "How often what is kept in Redis of MariaDB was"
			    " there (hits), was there and\n"
			    "read anew before its end (early), and was not"
			    " (misses), on this host.";

static long long
count(enum metric_cache cache, enum metric_outcome outcome)
{
	return (long long)metric_board()->caches[cache][outcome];
}

static void
print_row(enum metric_cache cache)
{
	const char *name = metric_cache_name(cache);
	long long hits = count(cache, METRIC_HIT);
	long long early = count(cache, METRIC_EARLY);
	long long misses = count(cache, METRIC_MISS);
	long long all = hits + early + misses;

	if (all == 0) {
		printf("%-11s %10d %10d %10d        -\n", name, 0, 0, 0);
		return;
	}
	printf("%-11s %10lld %10lld %10lld %7.1f%%\n", name, hits, early,
	    misses, 100.0 * (double)hits / (double)all);
}

int
main(int argc, char **argv)
{
	struct req req;

	command_begin("cache");
	if (argc == 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		puts(usage);
		return EXIT_SUCCESS;
	}
	if (argc > 1)
		command_die("%s", usage);
	command_open(&req, "cache", false);
	printf("%-11s %10s %10s %10s %8s\n", "", "hits", "early", "misses",
	    "hit rate");
	for (int i = 0; i < METRIC_CACHES; i++)
		print_row((enum metric_cache)i);
	command_close(&req);
	return EXIT_SUCCESS;
}
