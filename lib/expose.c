/*
 * expose -- see expose.h.
 *
 * A series is there with its zero before it counts: Prometheus does not see
 * the first step of one that comes with a 1.
 */
#include "expose.h"

#include <inttypes.h>
#include <strings.h>

struct expose {
	struct buf *out;
	bool open;	  /* OpenMetrics */
	const char *name; /* of the family that is being written */
	bool counter;
};

enum kind { COUNTER, GAUGE, HISTOGRAM };

/* --- lines --- */

/* unit: what the name ends in, where that is one. */
static void
begin(struct expose *e, enum kind kind, const char *name, const char *unit,
    const char *help)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };
	const char *end = kind == COUNTER && !e->open ? "_total" : "";

	e->name = name;
	e->counter = kind == COUNTER;
	buf_printf(e->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, help,
	    name, end, kinds[kind]);
	if (e->open && unit)
		buf_printf(e->out, "# UNIT %s %s\n", name, unit);
}

/* labels: "" or what stands between the braces. */
static void
name_it(struct expose *e, const char *end, const char *labels)
{
	buf_str(e->out, e->name);
	buf_str(e->out, e->counter ? "_total" : end);
	if (*labels) {
		buf_char(e->out, '{');
		buf_str(e->out, labels);
		buf_char(e->out, '}');
	}
	buf_char(e->out, ' ');
}

static void
sample(struct expose *e, const char *labels, uint64_t value)
{
	name_it(e, "", labels);
	buf_printf(e->out, "%" PRIu64 "\n", value);
}

static void
signed_sample(struct expose *e, const char *labels, int64_t value)
{
	name_it(e, "", labels);
	buf_printf(e->out, "%" PRId64 "\n", value);
}

/* A program's name, as the value of a label. */
static void
escape(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; *s && n + 3 < size; s++) {
		if (*s == '\\' || *s == '"' || *s == '\n')
			out[n++] = '\\';
		out[n++] = *s == '\n' ? 'n' : *s;
	}
	out[n] = '\0';
}

static void
histogram(
    struct expose *e, const char *labels, const struct metric_histogram *h)
{
	static const char *const bounds[METRIC_BUCKETS] = { "0.0005", "0.001",
		"0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5",
		"1.0", "2.0", "5.0", "+Inf" };
	const char *comma = *labels ? "," : "";
	uint64_t count = 0, sum = h->sum_us;

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		count += h->buckets[i];
		buf_printf(e->out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
		    e->name, labels, comma, bounds[i], count);
	}
	name_it(e, "_sum", labels);
	buf_printf(e->out, "%" PRIu64 ".%06" PRIu64 "\n", sum / 1000000,
	    sum % 1000000);
	name_it(e, "_count", labels);
	buf_printf(e->out, "%" PRIu64 "\n", count);
}

/* --- requests --- */

static const char *const methods[METRIC_METHODS] = { "GET", "POST", "PUT",
	"DELETE", "other" };

static uint64_t
requests_of(const struct metric_route *r, int method)
{
	uint64_t n = 0;

	for (int s = 0; s < METRIC_STATUSES; s++)
		n += r->requests[method][s];
	return n;
}

/* The labels of a route's method; false when nobody has used it yet. */
static bool
route_labels(const struct metric_route *r, int method, char *out, size_t size)
{
	char name[2 * METRIC_NAME];

	if (r->claimed != METRIC_ROUTE_NAMED || !requests_of(r, method))
		return false;
	escape(r->name, name, sizeof(name));
	snprintf(
	    out, size, "route=\"%s\",method=\"%s\"", name, methods[method]);
	return true;
}

static void
requests(struct expose *e, const struct metric_route *r)
{
	static const char *const statuses[METRIC_STATUSES] = { "2xx", "3xx",
		"4xx", "5xx" };
	char labels[128], all[160];

	for (int m = 0; m < METRIC_METHODS; m++) {
		if (!route_labels(r, m, labels, sizeof(labels)))
			continue;
		for (int s = 0; s < METRIC_STATUSES; s++) {
			snprintf(all, sizeof(all), "%s,status=\"%s\"", labels,
			    statuses[s]);
			sample(e, all, r->requests[m][s]);
		}
	}
}

static void
durations(struct expose *e, const struct metric_route *r)
{
	char labels[128];

	for (int m = 0; m < METRIC_METHODS; m++) {
		if (route_labels(r, m, labels, sizeof(labels)))
			histogram(e, labels, &r->took[m]);
	}
}

static void
expose_requests(struct expose *e, const struct metric_board *b)
{
	begin(e, COUNTER, "seoga_http_requests", NULL,
	    "Requests that programs have answered.");
	for (size_t i = 0; i < METRIC_ROUTES; i++)
		requests(e, &b->routes[i]);
	begin(e, HISTOGRAM, "seoga_http_request_duration_seconds", "seconds",
	    "How long programs took to answer them.");
	for (size_t i = 0; i < METRIC_ROUTES; i++)
		durations(e, &b->routes[i]);
}

/* --- nginx --- */

/* What alerts wait for is there before it happens: a series that begins with
 * its first event hides it. */
static bool
is_awaited(size_t code)
{
	return code == 500 || (code >= 502 && code <= 504);
}

static void
expose_edge(struct expose *e, const struct metric_edge *edge)
{
	char labels[32];

	begin(e, COUNTER, "seoga_edge_requests", NULL,
	    "Requests that nginx has answered, by status.");
	for (size_t code = 0; code < LENGTH(edge->statuses); code++) {
		if (!edge->statuses[code] && !is_awaited(code))
			continue;
		snprintf(labels, sizeof(labels), "code=\"%03zu\"", code);
		sample(e, labels, edge->statuses[code]);
	}
	begin(e, HISTOGRAM, "seoga_edge_request_duration_seconds", "seconds",
	    "How long nginx took to answer them.");
	histogram(e, "", &edge->took);
	begin(e, COUNTER, "seoga_edge_response_bytes", "bytes",
	    "Bytes that nginx has sent to clients.");
	sample(e, "", edge->bytes);
}

/* --- backends and caches --- */

static void
expose_breakers(struct expose *e, const struct breaker_view *views)
{
	static const char *const labels[BREAKER_BACKENDS] = {
		[BREAKER_MARIADB] = "backend=\"mariadb\"",
		[BREAKER_REDIS] = "backend=\"redis\""
	};

	begin(e, GAUGE, "seoga_breaker_open", NULL,
	    "Whether a backend is not asked because it was away: 0 or 1.");
	for (int i = 0; i < BREAKER_BACKENDS; i++)
		sample(e, labels[i], strcmp(views[i].state, "closed") != 0);
	begin(e, COUNTER, "seoga_breaker_opened", NULL,
	    "Times that a backend was found to be away.");
	for (int i = 0; i < BREAKER_BACKENDS; i++)
		sample(e, labels[i], (uint64_t)views[i].opened);
}

static void
expose_backends(struct expose *e, const struct metric_board *b)
{
	begin(e, HISTOGRAM, "seoga_sql_duration_seconds", "seconds",
	    "How long SQL statements took.");
	histogram(e, "", &b->sql);
	begin(e, HISTOGRAM, "seoga_redis_duration_seconds", "seconds",
	    "How long trips to Redis took, each with one or more commands.");
	histogram(e, "", &b->redis);
}

static void
expose_caches(struct expose *e, const struct metric_board *b)
{
	static const char *const outcomes[METRIC_OUTCOMES] = {
		[METRIC_HIT] = "hit",
		[METRIC_EARLY] = "early",
		[METRIC_MISS] = "miss",
	};
	char labels[64];

	begin(e, COUNTER, "seoga_cache_requests", NULL,
	    "What was looked for among what Redis keeps of MariaDB.");
	for (int c = 0; c < METRIC_CACHES; c++) {
		for (int o = 0; o < METRIC_OUTCOMES; o++) {
			snprintf(labels, sizeof(labels),
			    "cache=\"%s\",outcome=\"%s\"",
			    metric_cache_name((enum metric_cache)c),
			    outcomes[o]);
			sample(e, labels, b->caches[c][o]);
		}
	}
}

/* --- workers --- */

static void
states(struct expose *e, const struct metric_board *b, size_t route,
    const char *name)
{
	uint64_t busy = 0, idle = 0;
	char labels[128];

	for (size_t i = 0; i < METRIC_WORKERS; i++) {
		const struct metric_worker *w = &b->workers[i];

		if (!w->pid || !w->started || w->route != route)
			continue;
		if (w->busy)
			busy++;
		else
			idle++;
	}
	snprintf(labels, sizeof(labels), "route=\"%s\",state=\"busy\"", name);
	sample(e, labels, busy);
	snprintf(labels, sizeof(labels), "route=\"%s\",state=\"idle\"", name);
	sample(e, labels, idle);
}

enum what { STATES, STARTS, CRASHES };

static void
each_route(struct expose *e, const struct metric_board *b, enum what what)
{
	char name[2 * METRIC_NAME], labels[128];

	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const struct metric_route *r = &b->routes[i];

		if (r->claimed != METRIC_ROUTE_NAMED)
			continue;
		escape(r->name, name, sizeof(name));
		if (what == STATES) {
			states(e, b, i, name);
			continue;
		}
		snprintf(labels, sizeof(labels), "route=\"%s\"", name);
		sample(e, labels, what == STARTS ? r->starts : r->crashes);
	}
}

static void
expose_workers(struct expose *e, const struct metric_board *b)
{
	begin(
	    e, GAUGE, "seoga_workers", NULL, "Processes of programs and jobs.");
	each_route(e, b, STATES);
	begin(e, COUNTER, "seoga_worker_starts", NULL,
	    "Processes of programs and jobs that were started.");
	each_route(e, b, STARTS);
	begin(e, COUNTER, "seoga_worker_crashes", NULL,
	    "Processes that ended without having been told to.");
	each_route(e, b, CRASHES);
}

/* --- plain counters and gauges --- */

static const struct {
	enum metric_counter counter;
	const char *name, *labels, *help; /* help NULL: as the one before */
} counters[] = {
	{ METRIC_SQL_ERRORS, "seoga_sql_errors", "",
	    "SQL statements that failed." },
	{ METRIC_SQL_RECONNECTS, "seoga_sql_reconnects", "",
	    "Connections to MariaDB after the first of a process." },
	{ METRIC_REDIS_ERRORS, "seoga_redis_errors", "",
	    "Trips to Redis that failed, and errors that it answered." },
	{ METRIC_REDIS_RECONNECTS, "seoga_redis_reconnects", "",
	    "Connections to Redis after the first of a process." },
	{ METRIC_LOGINS, "seoga_logins", "outcome=\"ok\"",
	    "Tries to sign in." },
	{ METRIC_LOGINS_FAILED, "seoga_logins", "outcome=\"failed\"", NULL },
	{ METRIC_LOGINS_LOCKED, "seoga_logins", "outcome=\"locked\"", NULL },
	{ METRIC_REGISTRATIONS, "seoga_registrations", "",
	    "Accounts that readers have made." },
	{ METRIC_CART_ADDS, "seoga_cart_adds", "",
	    "Times that a book was put into a cart." },
	{ METRIC_ORDERS_PLACED, "seoga_orders", "state=\"placed\"",
	    "Orders that came to this state." },
	{ METRIC_ORDERS_PAID, "seoga_orders", "state=\"paid\"", NULL },
	{ METRIC_ORDERS_CANCELLED, "seoga_orders", "state=\"cancelled\"",
	    NULL },
	{ METRIC_SEARCHES, "seoga_searches", "outcome=\"hits\"",
	    "Searches for books." },
	{ METRIC_SEARCHES_EMPTY, "seoga_searches", "outcome=\"none\"", NULL },
	{ METRIC_TRACES_STORED, "seoga_traces_stored", "",
	    "Traces that Redis has taken." },
	{ METRIC_TRACES_DROPPED, "seoga_traces_dropped", "",
	    "Pieces of traces that found no room on their way." },
	{ METRIC_TRACES_LOST, "seoga_traces_lost", "",
	    "Traces that Redis has not taken." },
	{ METRIC_SPANS_EXPORTED, "seoga_trace_spans_exported", "",
	    "Spans that the collector has taken." },
	{ METRIC_SPANS_DROPPED, "seoga_trace_spans_dropped", "",
	    "Spans that the exporter has given up." },
	{ METRIC_ATTACK_LOGINS, "seoga_attack_events", "kind=\"login_failed\"",
	    "What may be an attack." },
	{ METRIC_ATTACK_BURSTS, "seoga_attack_events", "kind=\"burst_4xx\"",
	    NULL },
	{ METRIC_ATTACK_SCANS, "seoga_attack_events", "kind=\"scanner\"",
	    NULL },
	{ METRIC_ATTACK_LIMITED, "seoga_attack_events", "kind=\"rate_limited\"",
	    NULL },
};

static const struct {
	enum metric_gauge gauge;
	const char *name, *unit, *help;
} gauges[] = {
	{ METRIC_USERS, "seoga_users", NULL, "Members." },
	{ METRIC_BOOKS, "seoga_books", NULL, "Books in the catalogue." },
	{ METRIC_QUEUE_LENGTH, "seoga_queue_length", NULL,
	    "Events in the stream." },
	{ METRIC_QUEUE_LAG, "seoga_queue_lag", NULL,
	    "Events that the statistics have not counted yet." },
	{ METRIC_OUTBOX_WAITING, "seoga_outbox_waiting", NULL,
	    "Events that are not in the stream yet." },
	{ METRIC_OUTBOX_SECONDS, "seoga_outbox_oldest_seconds", "seconds",
	    "Age of the oldest of them." },
	{ METRIC_DEAD_LETTERS, "seoga_dead_letters", NULL,
	    "Events that could not be counted." },
	{ METRIC_DB_UP, "seoga_db_up", NULL,
	    "Whether MariaDB answers: 0 or 1." },
	{ METRIC_DB_CONNECTIONS, "seoga_db_connections", NULL,
	    "Connections that MariaDB has." },
	{ METRIC_DB_CONNECTIONS_MAX, "seoga_db_connections_max", NULL,
	    "Connections that MariaDB may have." },
	{ METRIC_REDIS_UP, "seoga_redis_up", NULL,
	    "Whether Redis answers: 0 or 1." },
	{ METRIC_REDIS_MEMORY, "seoga_redis_memory_bytes", "bytes",
	    "Memory that Redis uses." },
	{ METRIC_REDIS_MEMORY_MAX, "seoga_redis_memory_max_bytes", "bytes",
	    "Memory that Redis may use; 0: all there is." },
	{ METRIC_MEMORY, "seoga_memory_bytes", "bytes",
	    "Memory of the whole stack, what is shared counted once." },
	{ METRIC_GAUGED, "seoga_gauges_set_timestamp_seconds", "seconds",
	    "When these gauges were set." },
};

static void
expose_counters(struct expose *e, const struct metric_board *b)
{
	uint64_t revenue = b->counters[METRIC_REVENUE];

	for (size_t i = 0; i < LENGTH(counters); i++) {
		if (counters[i].help)
			begin(e, COUNTER, counters[i].name, NULL,
			    counters[i].help);
		sample(e, counters[i].labels, b->counters[counters[i].counter]);
	}
	begin(e, COUNTER, "seoga_revenue_won", "won",
	    "What was paid for orders.");
	name_it(e, "", "");
	buf_printf(e->out, "%" PRIu64 ".%02" PRIu64 "\n", revenue / 100,
	    revenue % 100);
}

/* Nobody has set them before the recorder's first round, and what a backend
 * said before it went away is not true any more. */
static void
expose_gauges(struct expose *e, const struct metric_board *b)
{
	for (size_t i = 0; i < LENGTH(gauges); i++) {
		if (!b->gauges[METRIC_GAUGED] ||
		    !b->gauges[metric_source(gauges[i].gauge)])
			continue;
		begin(e, GAUGE, gauges[i].name, gauges[i].unit, gauges[i].help);
		signed_sample(e, "", b->gauges[gauges[i].gauge]);
	}
}

static void
expose_build(struct expose *e)
{
	const char *end = e->open ? "" : "_info";

	buf_printf(e->out,
	    "# HELP seoga_build%s Which Seoga this is.\n"
	    "# TYPE seoga_build%s %s\n"
	    "seoga_build_info{version=\"" VERSION "\"} 1\n",
	    end, end, e->open ? "info" : "gauge");
}

void
expose_all(struct buf *out, enum expose_format format,
    const struct breaker_view breakers[BREAKER_BACKENDS])
{
	const struct metric_board *b = metric_board();
	struct expose e = { .out = out, .open = format == EXPOSE_OPENMETRICS };

	expose_build(&e);
	expose_requests(&e, b);
	expose_edge(&e, &b->edge);
	expose_backends(&e, b);
	expose_breakers(&e, breakers);
	expose_caches(&e, b);
	expose_workers(&e, b);
	expose_counters(&e, b);
	expose_gauges(&e, b);
	if (e.open)
		buf_str(out, "# EOF\n");
}

/* --- which format --- */

const char *
expose_type(enum expose_format format)
{
	return format == EXPOSE_OPENMETRICS ?
	    "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8";
}

/* The next piece of a list, without blanks around it. */
static bool
next_piece(const char **at, char separator, const char **piece, size_t *len)
{
	const char *end;

	if (!*at)
		return false;
	*at += strspn(*at, " \t");
	*piece = *at;
	end = strchr(*at, separator);
	*len = end ? (size_t)(end - *at) : strlen(*at);
	*at = end ? end + 1 : NULL;
	while (*len && strchr(" \t", (*piece)[*len - 1]))
		(*len)--;
	return true;
}

static bool
piece_is(const char *piece, size_t len, const char *text)
{
	return len == strlen(text) && strncasecmp(piece, text, len) == 0;
}

/* "0.75" in thousandths; what is none wants nothing. */
static int
weight_of(const char *s, size_t len)
{
	int weight = 0, unit = 100;

	if (len == 0 || len > 5 || (s[0] != '0' && s[0] != '1'))
		return 0;
	weight = (s[0] - '0') * 1000;
	if (len > 1 && s[1] != '.')
		return 0;
	for (size_t i = 2; i < len; i++, unit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		weight += (s[i] - '0') * unit;
	}
	return weight > 1000 ? 0 : weight;
}

/* One range of the header: its type, what it weighs, and its version. */
struct range {
	const char *type, *version;
	size_t type_len, version_len;
	int weight;
};

static struct range
read_range(const char *text, size_t len)
{
	struct range range = { .version = NULL, .weight = 1000 };
	char copy[256];
	const char *at = copy, *piece;
	size_t n;

	if (len >= sizeof(copy))
		return (struct range){ .weight = 0 };
	memcpy(copy, text, len);
	copy[len] = '\0';
	next_piece(&at, ';', &piece, &n);
	range.type = text + (piece - copy);
	range.type_len = n;
	while (next_piece(&at, ';', &piece, &n)) {
		if (n >= 2 && strncasecmp(piece, "q=", 2) == 0)
			range.weight = weight_of(piece + 2, n - 2);
		if (n > 8 && strncasecmp(piece, "version=", 8) == 0) {
			range.version = text + (piece + 8 - copy);
			range.version_len = n - 8;
		}
	}
	return range;
}

static bool
has_version(const struct range *range, const char *version)
{
	return !range->version ||
	    piece_is(range->version, range->version_len, version);
}

enum expose_format
expose_format(const char *accept)
{
	/* The more a range says, the more it counts, whatever it weighs. */
	static const char *const texts[] = { "*/*", "text/*", "text/plain" };
	int open = 0, text = 0, best = -1;
	const char *piece;
	size_t len;

	while (next_piece(&accept, ',', &piece, &len)) {
		struct range range = read_range(piece, len);

		if (piece_is(range.type, range.type_len,
			"application/openmetrics-text") &&
		    has_version(&range, "1.0.0") && range.weight > open)
			open = range.weight;
		for (int i = 0; i < (int)LENGTH(texts); i++) {
			if (i >= best && has_version(&range, "0.0.4") &&
			    piece_is(range.type, range.type_len, texts[i])) {
				best = i;
				text = range.weight;
			}
		}
	}
	return open && open >= text ? EXPOSE_OPENMETRICS : EXPOSE_TEXT;
}
