/* attack_note -- from lines of the logs to figures by address, see attack.h. */
#include "attack_internal.h"

#include "logline.h"
#include "utf8.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#define HALF 10	   /* minutes, in which a score halves */
#define UNIT 65536 /* of a score, so that a small one halves often enough */
#define CLOSED 499 /* nginx: the client did not wait */
#define LIMITED 429

/* One bad thing that somebody did. */
struct deed {
	uint64_t net[2];
	bool known; /* who it was */
	int64_t second, minute;
	bool did[ATTACK_WHATS];
	char path[ATTACK_PATH];
};

/* --- reading a line --- */

/* Of IPv6 the first half. */
static bool
read_net(const char *addr, uint64_t net[2])
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, addr, &four) == 1) {
		six = (struct in6_addr){ .s6_addr = {
					     [10] = 0xff, [11] = 0xff } };
		memcpy(six.s6_addr + 12, &four, sizeof(four));
	} else if (inet_pton(AF_INET6, addr, &six) != 1) {
		return false;
	} else if (!IN6_IS_ADDR_V4MAPPED(&six)) {
		memset(six.s6_addr + 8, 0, 8);
	}
	memcpy(net, &six, sizeof(six));
	return true;
}

/* What is no text, or would not show as what it is, becomes "?". */
static void
copy_shown(char out[ATTACK_PATH], const char *s, size_t len)
{
	size_t n = 0, size;
	uint32_t ch;

	for (size_t i = 0; i < len; i += size) {
		size = utf8_next(s + i, len - i, &ch);
		bool shows = size > 0 && utf8_one_line(s + i, size);

		size = size ? size : 1;
		if (n + (shows ? size : 1) >= ATTACK_PATH)
			break;
		if (shows)
			memcpy(out + n, s + i, size);
		else
			out[n] = '?';
		n += shows ? size : 1;
	}
	memset(out + n, 0, ATTACK_PATH - n);
}

static bool
begins(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0;
}

static bool
ends(const char *s, const char *with)
{
	size_t len = strlen(s), n = strlen(with);

	return len >= n && strcasecmp(s + len - n, with) == 0;
}

/* Nothing of ours is called so, and no page of ours leads there. */
static bool
is_probe(const char *path)
{
	static const char *const first[] = { "/.env", "/.git", "/.aws", "/.ssh",
		"/.svn", "/.ds_store", "/.htpasswd", "/wp-", "/wordpress",
		"/xmlrpc", "/phpmyadmin", "/pma/", "/myadmin", "/cgi-bin/",
		"/vendor/", "/actuator", "/server-status", "/solr/", "/hnap1",
		"/boaform", "/owa/", "/_profiler", "/telescope", "/etc/passwd",
		"/manager/html", "/console/" };
	static const char *const last[] = { ".php", ".asp", ".aspx", ".jsp",
		".cgi", ".sql", ".bak", "/passwd" };

	for (size_t i = 0; i < LENGTH(first); i++)
		if (begins(path, first[i]))
			return true;
	for (size_t i = 0; i < LENGTH(last); i++)
		if (ends(path, last[i]))
			return true;
	return strstr(path, "/../") || strcasestr(path, "%2e%2e");
}

static bool
has(const char *line, size_t len, const char *key, const char *text)
{
	struct logline_value value;

	return logline_find(line, len, key, &value) && logline_is(&value, text);
}

/* The program's own line of a request that is not sampled never comes here:
 * then the answer has to do. */
static bool
is_refused_login(const char *line, size_t len, int64_t status)
{
	return (status == 400 || status == 401 || status == 403) &&
	    has(line, len, "route", "login") &&
	    has(line, len, "method", "POST") && has(line, len, "flags", "00");
}

static bool
read_answer(const char *line, size_t len, struct deed *deed)
{
	struct logline_value value;
	int64_t status = logline_find(line, len, "status", &value) ?
	    logline_int(&value, 0) :
	    0;
	char path[4 * ATTACK_PATH] = "";

	if (status < 400 || status > 499 || status == CLOSED)
		return false;
	if (logline_find(line, len, "path", &value))
		copy_shown(
		    deed->path, path, logline_text(&value, path, sizeof(path)));
	deed->did[ATTACK_LIMITS] = status == LIMITED;
	deed->did[ATTACK_ERRORS] = status != LIMITED;
	deed->did[ATTACK_UNKNOWN] = status == 404;
	deed->did[ATTACK_PROBES] = status != LIMITED && is_probe(path);
	deed->did[ATTACK_LOGINS] = is_refused_login(line, len, status);
	return true;
}

static bool
read_deed(const char *line, size_t len, struct deed *deed)
{
	struct logline_value value;
	char addr[INET6_ADDRSTRLEN + 1] = "";

	if (!logline_find(line, len, "ev", &value))
		return false;
	if (logline_is(&value, "login.failed"))
		deed->did[ATTACK_LOGINS] = true;
	else if (!logline_is(&value, "nginx.request") ||
	    !read_answer(line, len, deed))
		return false;
	if (logline_find(line, len, "ts", &value))
		deed->second = logline_time(&value) / 1000000;
	deed->minute = deed->second / 60;
	if (logline_find(line, len, "addr", &value))
		logline_text(&value, addr, sizeof(addr));
	deed->known = read_net(addr, deed->net);
	return deed->minute > ATTACK_MINUTES;
}

/* --- events --- */

static void
count_event(const struct deed *deed, enum attack_kind kind)
{
	static const enum metric_counter counters[] = {
		[ATTACK_LOGIN_FAILED] = METRIC_ATTACK_LOGINS,
		[ATTACK_BURST] = METRIC_ATTACK_BURSTS,
		[ATTACK_SCANNER] = METRIC_ATTACK_SCANS,
		[ATTACK_LIMITED] = METRIC_ATTACK_LIMITED,
	};
	struct attack_minute *m =
	    &attack_board()->minutes[deed->minute % ATTACK_MINUTES];

	if (m->minute > deed->minute)
		return;
	metric_add(counters[kind], 1);
	if (m->minute != deed->minute) {
		for (size_t i = 0; i < ATTACK_KINDS; i++)
			m->events[i] = 0;
		m->minute = deed->minute;
	}
	m->events[kind]++;
}

/* As if the errors of the minute before had come evenly. */
static bool
is_burst(const struct attack_fact *fact, const struct deed *deed)
{
	int64_t now =
	    fact->counts[deed->minute % ATTACK_MINUTES][ATTACK_ERRORS];
	int64_t before =
	    fact->counts[(deed->minute - 1) % ATTACK_MINUTES][ATTACK_ERRORS];

	return now + before * (59 - deed->second % 60) / 60 >=
	    ATTACK_BURST_ERRORS;
}

static int
paths_seen(const struct attack_fact *fact)
{
	int n = 0;

	for (size_t i = 0; i < LENGTH(fact->seen); i++)
		n += __builtin_popcountll(fact->seen[i]);
	return n;
}

static void
see_path(struct attack_fact *fact, const struct deed *deed)
{
	uint64_t digest = 0, word;

	if (deed->minute - fact->seen_since >= ATTACK_SCAN_MINUTES) {
		fact->seen_since = deed->minute;
		memset(fact->seen, 0, sizeof(fact->seen));
	}
	for (size_t i = 0; i < ATTACK_PATH; i += sizeof(word)) {
		memcpy(&word, deed->path + i, sizeof(word));
		digest = attack_digest(digest, word);
	}
	digest %= ATTACK_SEEN_BITS;
	fact->seen[digest / 64] |= UINT64_C(1) << digest % 64;
}

static void
detect(struct attack_fact *fact, const struct deed *deed)
{
	if (deed->did[ATTACK_ERRORS] && is_burst(fact, deed) &&
	    fact->burst < deed->minute) {
		fact->burst = deed->minute;
		count_event(deed, ATTACK_BURST);
	}
	if (deed->did[ATTACK_UNKNOWN])
		see_path(fact, deed);
	if ((deed->did[ATTACK_PROBES] ||
		(deed->did[ATTACK_UNKNOWN] &&
		    paths_seen(fact) >= ATTACK_SCAN_PATHS)) &&
	    deed->minute - fact->scan >= ATTACK_SCAN_MINUTES) {
		fact->scan = deed->minute;
		count_event(deed, ATTACK_SCANNER);
	}
}

/* --- places --- */

static uint64_t
score_at(const struct attack_fact *fact, int64_t minute)
{
	int64_t halves = (minute - fact->minute) / HALF;

	if (halves < 0)
		halves = 0;
	return halves < 64 ? fact->score >> halves : 0;
}

/* The place of this address; else the least active of its set, emptied. */
static struct attack_place *
take_place(const struct deed *deed, struct attack_fact *fact)
{
	uint64_t set = attack_digest(deed->net[0], deed->net[1]) % ATTACK_SETS;
	struct attack_place *places = attack_board()->places[set];
	struct attack_place *least = NULL;
	uint64_t least_score = UINT64_MAX;

	for (size_t i = 0; i < ATTACK_WAYS; i++) {
		attack_load(&places[i], fact);
		if (fact->minute && fact->net[0] == deed->net[0] &&
		    fact->net[1] == deed->net[1])
			return &places[i];
		uint64_t score =
		    fact->minute ? score_at(fact, deed->minute) + 1 : 0;
		if (score < least_score) {
			least = &places[i];
			least_score = score;
		}
	}
	*fact = (struct attack_fact){ .net = { deed->net[0], deed->net[1] },
		.minute = deed->minute };
	return least;
}

/* The minutes that passed without a line are empty. */
static void
advance(struct attack_fact *fact, int64_t minute)
{
	int64_t passed = minute - fact->minute;

	if (passed <= 0)
		return;
	fact->score = score_at(fact, minute);
	for (int64_t i = 0; i < passed && i < ATTACK_MINUTES; i++)
		memset(fact->counts[(minute - i) % ATTACK_MINUTES], 0,
		    sizeof(fact->counts[0]));
	fact->minute = minute;
}

static void
add_deed(struct attack_fact *fact, const struct deed *deed)
{
	static const uint64_t weights[ATTACK_WHATS] = { [ATTACK_LOGINS] = 4,
		[ATTACK_ERRORS] = 1,
		[ATTACK_PROBES] = 8,
		[ATTACK_LIMITS] = 1 };
	uint16_t *counts = fact->counts[deed->minute % ATTACK_MINUTES];

	for (size_t i = 0; i < ATTACK_WHATS; i++) {
		if (!deed->did[i])
			continue;
		fact->score += weights[i] * UNIT;
		if (counts[i] < UINT16_MAX)
			counts[i]++;
	}
	if (deed->second > fact->last)
		fact->last = deed->second;
	if (*deed->path)
		memcpy(fact->path, deed->path, sizeof(fact->path));
}

static void
note_address(const struct deed *deed)
{
	struct attack_fact fact;
	struct attack_place *place = take_place(deed, &fact);

	/* A line from an old log that is read again. */
	if (deed->minute <= fact.minute - ATTACK_MINUTES)
		return;
	advance(&fact, deed->minute);
	add_deed(&fact, deed);
	detect(&fact, deed);
	attack_store(place, &fact);
}

void
attack_note(const char *line, size_t len)
{
	struct deed deed = { 0 };

	if (!read_deed(line, len, &deed))
		return;
	if (deed.did[ATTACK_LOGINS])
		count_event(&deed, ATTACK_LOGIN_FAILED);
	if (deed.did[ATTACK_LIMITS])
		count_event(&deed, ATTACK_LIMITED);
	if (deed.known)
		note_address(&deed);
}
