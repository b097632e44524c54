/*
 * seoga cache -- what the caches of this host did since the site was started:
 * how often was it there, and how often did MariaDB have to be read?
 */
#include "command.h"
#include "tally.h"

static const char usage[] = "usage: seoga cache\n"
			    "How often what is kept in Redis of MariaDB was"
			    " there (hits), was there and\n"
			    "read anew before its end (early), and was not"
			    " (misses), on this host.";

static void
print_row(const struct conf *conf, enum tally_cache cache)
{
	long long hits = tally_of(conf, cache, TALLY_HIT);
	long long early = tally_of(conf, cache, TALLY_EARLY);
	long long misses = tally_of(conf, cache, TALLY_MISS);
	long long all = hits + early + misses;

	if (all == 0) {
		printf("%-11s %10d %10d %10d        -\n", tally_name(cache), 0,
		    0, 0);
		return;
	}
	printf("%-11s %10lld %10lld %10lld %7.1f%%\n", tally_name(cache), hits,
	    early, misses, 100.0 * (double)hits / (double)all);
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
	for (int i = 0; i < TALLY_CACHES; i++)
		print_row(req.conf, (enum tally_cache)i);
	command_close(&req);
	return EXIT_SUCCESS;
}
