/*
 * attack -- who tries what a reader never would: figures by address, from
 * the lines of nginx and of failed logins, for the page /status/attack.
 *
 * They are in memory that the host shares (conf->attack_file): written by
 * the recorder alone, read by any worker.  Without the file there are none.
 * An address of IPv6 stands for its network of 64 bits, as it does for
 * nginx's limits.  The size is fixed, however many addresses there are: of
 * ATTACK_ADDRESSES the least active one makes room.
 */
#ifndef SEOGA_ATTACK_H
#define SEOGA_ATTACK_H

#include "metric.h"

#define ATTACK_ADDRESSES 512
#define ATTACK_MINUTES 60 /* that are remembered */

/*
 * What counts as one event, with the reasons.  BURST_ERRORS answers 4xx (but
 * 429 and 499) in one minute: a reader who mistypes has a handful, and no
 * page of ours asks for anything that is not there.  SCAN_PATHS different
 * addresses that lead nowhere within SCAN_MINUTES: a few come of a bad link.
 * One path that only a tool asks for (/wp-login.php) is enough.  A burst
 * counts once a minute, a scanner once in SCAN_MINUTES, for each address.
 */
#define ATTACK_BURST_ERRORS 20
#define ATTACK_SCAN_PATHS 15
#define ATTACK_SCAN_MINUTES 10

enum attack_kind {
	ATTACK_LOGIN_FAILED,
	ATTACK_BURST,
	ATTACK_SCANNER,
	ATTACK_LIMITED,
	ATTACK_KINDS
};

/* Maps the file; never fails. */
void attack_open(const struct conf *conf);

/* For the recorder: one line of any log; lines of other events are left. */
void attack_note(const char *line, size_t len);

/* What an address did in a while. */
struct attack_sum {
	int64_t logins;	 /* that failed */
	int64_t errors;	 /* answers 4xx, but 429 and 499 */
	int64_t unknown; /* of these, 404 */
	int64_t probes;	 /* of these, for what only tools look for */
	int64_t limited; /* answers 429 */
};

#define ATTACK_ADDR 48 /* bytes of "2001:db8:1:2::/64", with its NUL */
#define ATTACK_PATH 96

struct attack_seen {
	char addr[ATTACK_ADDR];
	int64_t last;		      /* seconds since 1970 */
	struct attack_sum five, hour; /* the last 5 and 60 minutes */
	bool burst, scanner;	      /* was one of these, within the hour */
	char path[ATTACK_PATH];	      /* the last that went wrong, UTF-8; "" */
};

/* Those of the last hour (now: seconds since 1970), the worst first, at most
 * max; how many. */
size_t attack_list(int64_t now, struct attack_seen *list, size_t max);

/* Events of all addresses, minute by minute, the oldest first; exact, whoever
 * was forgotten. */
void attack_minutes(int64_t now, int64_t minutes[ATTACK_MINUTES][ATTACK_KINDS]);

/* The address without its last part, for who may not see it whole:
 * "203.0.113.x", "2001:db8:x". */
void attack_mask(const char *addr, char out[ATTACK_ADDR]);

#endif
