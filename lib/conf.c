/* conf -- see conf.h. */
#include "conf.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>

struct reader {
	char *error;
	size_t error_size;
	bool failed;
	char *lines[8]; /* read from files, one a secret */
	size_t line_count;
};

ATTR_PRINTF(2, 3) static void fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	r->failed = true;
	va_start(ap, fmt);
	vsnprintf(r->error, r->error_size, fmt, ap);
	va_end(ap);
}

static const char *
text(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static int
number(struct reader *r, const char *name, int otherwise, int min, int max)
{
	const char *value = text(name, NULL);
	char *end;
	long n;

	if (!value)
		return otherwise;
	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || *end || n < min || n > max) {
		fail(r, "%s must be a whole number from %d to %d, not \"%s\".",
		    name, min, max, value);
		return otherwise;
	}
	return (int)n;
}

/* The first line of a file; lives as long as the process if all is well. */
static const char *
first_line(struct reader *r, const char *name, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f || getline(&line, &size, f) < 0) {
		fail(r, "%s: cannot read %s: %s.", name, path,
		    f && !ferror(f) ? "it is empty" : strerror(errno));
		free(line);
		line = NULL;
	}
	if (f)
		fclose(f);
	if (!line)
		return "";
	line[strcspn(line, "\r\n")] = '\0';
	if (r->line_count < LENGTH(r->lines))
		r->lines[r->line_count++] = line;
	return line;
}

static const char *
secret_text(struct reader *r, const char *name, const char *otherwise)
{
	char file_name[64];
	const char *path;

	snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	path = text(file_name, NULL);
	return path ? first_line(r, file_name, path) : text(name, otherwise);
}

static void
load_backends(struct reader *r, struct conf *c)
{
	c->db_hosts = text("SEOGA_DB_HOSTS", "127.0.0.1:3306");
	c->db_user = text("SEOGA_DB_USER", "seoga");
	c->db_password = secret_text(r, "SEOGA_DB_PASSWORD", "");
	c->db_name = text("SEOGA_DB_NAME", "seoga");
	c->db_admin_user = text("SEOGA_DB_ADMIN_USER", c->db_user);
	c->db_admin_password =
	    secret_text(r, "SEOGA_DB_ADMIN_PASSWORD", c->db_password);
	c->redis_hosts = text("SEOGA_REDIS_HOSTS", "127.0.0.1:6379");
	c->redis_password = secret_text(r, "SEOGA_REDIS_PASSWORD", "");
	c->redis_db = number(r, "SEOGA_REDIS_DB", 0, 0, 1023);
	c->connect_ms = number(r, "SEOGA_CONNECT_MS", 1000, 10, 60000);
	c->command_ms = number(r, "SEOGA_COMMAND_MS", 2000, 10, 60000);
}

static void
load_breaker(struct reader *r, struct conf *c)
{
	c->breaker_file = text("SEOGA_BREAKER_FILE", NULL);
	c->breaker_failures = number(r, "SEOGA_BREAKER_FAILURES", 5, 0, 200);
	c->breaker_timeout_s = number(r, "SEOGA_BREAKER_TIMEOUT_S", 10, 1, 600);
	c->breaker_probe_ms =
	    number(r, "SEOGA_BREAKER_PROBE_MS", 1000, 10, 3600000);
	c->breaker_reset_s = number(r, "SEOGA_BREAKER_RESET_S", 30, 1, 3600);
}

/* A part of 1 in decimals, as ten-thousandths: "0.05" is 500. */
static int
part_of_one(struct reader *r, const char *name, const char *otherwise)
{
	const char *value = text(name, otherwise), *p = value;
	int n = (*p == '1') * 10000, unit = 1000;

	if (*p == '0' || *p == '1')
		p++;
	if (p > value && *p == '.' && p[1])
		for (p++; *p >= '0' && *p <= '9' && unit; unit /= 10)
			n += (*p++ - '0') * unit;
	if (p == value || *p || n > 10000)
		fail(r,
		    "%s must be a part of 1, with up to four decimals, as"
		    " 0.05, not \"%s\".",
		    name, value);
	return n;
}

/* "off": as if there were no files to share, and nothing to sample. */
static void
load_telemetry(struct reader *r, struct conf *c)
{
	bool on = strcmp(text("SEOGA_TELEMETRY", "on"), "off") != 0;

	if (on) {
		c->ring_file = text("SEOGA_RING_FILE", NULL);
		c->metric_file = text("SEOGA_METRIC_FILE", NULL);
		c->history_file = text("SEOGA_HISTORY_FILE", NULL);
		c->attack_file = text("SEOGA_ATTACK_FILE", NULL);
		c->trend_file = text("SEOGA_TREND_FILE", NULL);
	}
	c->history_step_s = number(r, "SEOGA_HISTORY_STEP_S", 10, 1, 60);
	c->trace_rate = part_of_one(r, "SEOGA_TRACE_RATE", "1.0");
	if (!on)
		c->trace_rate = 0;
	c->trace_per_s = number(r, "SEOGA_TRACE_PER_S", 500, 0, 1000000);
	c->sql_comments = number(r, "SEOGA_SQL_COMMENTS", 20, 0, 1000000);
	c->trace_keep_s = number(r, "SEOGA_TRACE_KEEP_S", 3600, 1, 86400);
	c->trace_max = number(r, "SEOGA_TRACE_MAX", 20000, 10, 10000000);
	c->trace_bytes =
	    number(r, "SEOGA_TRACE_BYTES", 33554432, 65536, INT_MAX);
}

static void
load_otlp(struct reader *r, struct conf *c)
{
	const char *packed = text("SEOGA_OTLP_COMPRESSION", "none");

	c->otlp_endpoint = text("SEOGA_OTLP_ENDPOINT", NULL);
	c->otlp_headers = secret_text(r, "SEOGA_OTLP_HEADERS", "");
	c->otlp_ms = number(r, "SEOGA_OTLP_MS", 10000, 100, 60000);
	c->otlp_gzip = strcmp(packed, "gzip") == 0;
	if (!c->otlp_gzip && strcmp(packed, "none") != 0)
		fail(r,
		    "SEOGA_OTLP_COMPRESSION must be gzip or none, not"
		    " \"%s\".",
		    packed);
}

static void
load_site(struct reader *r, struct conf *c)
{
	c->template_dir = text("SEOGA_TEMPLATES", SEOGA_DATADIR "/templates");
	c->static_dir = text("SEOGA_STATIC", SEOGA_DATADIR "/static");
	c->doc_dir = text("SEOGA_DOC", SEOGA_DOCDIR "/doc");
	c->sql_dir = text("SEOGA_SQL", SEOGA_DATADIR "/sql");
	c->locale_dir = text("SEOGA_LOCALE", SEOGA_LOCALEDIR);
	c->log_file = text("SEOGA_LOG_FILE", NULL);
	c->var_dir = text("SEOGA_VAR", NULL);
	c->cors_origins = text("SEOGA_CORS_ORIGINS", "");
	c->secret = secret_text(r, "SEOGA_SECRET", "");
	c->session_s = number(r, "SEOGA_SESSION_S", 1800, 1, INT_MAX);
	c->remember_s = number(r, "SEOGA_REMEMBER_S", 604800, 1, INT_MAX);
	c->lock_s = number(r, "SEOGA_LOCK_S", 900, 1, INT_MAX);
	c->order_expiry_s = number(r, "SEOGA_ORDER_EXPIRY_S", 900, 1, INT_MAX);
	c->cache_s = number(r, "SEOGA_CACHE_S", 300, 0, 86400);
	c->form_limit = number(r, "SEOGA_FORM_LIMIT", 65536, 1024, 10485760);
}

static void
load_covers(struct reader *r, struct conf *c)
{
	c->cover_dir = text("SEOGA_COVER_DIR", "covers");
	c->command_dir = text("SEOGA_COMMAND_DIR", SEOGA_COMMANDDIR);
	c->s3_url = text("SEOGA_S3_URL", NULL);
	c->s3_region = text("SEOGA_S3_REGION", "us-east-1");
	c->s3_key_id = text("SEOGA_S3_KEY_ID", "");
	c->s3_secret = secret_text(r, "SEOGA_S3_SECRET", "");
	c->s3_ms = number(r, "SEOGA_S3_MS", 5000, 100, 8000);
}

static void
load_events(struct reader *r, struct conf *c)
{
	c->events_max = number(r, "SEOGA_EVENTS_MAX", 10000, 1000, 10000000);
	c->events_retry_ms =
	    number(r, "SEOGA_EVENTS_RETRY_MS", 30000, 100, 3600000);
	c->events_keep_s = number(r, "SEOGA_EVENTS_KEEP_S", 604800, 1, INT_MAX);
}

int
conf_load(struct conf *conf, char *error, size_t error_size)
{
	struct reader r = { .error = error, .error_size = error_size };
	struct conf c = { 0 };

	load_backends(&r, &c);
	load_breaker(&r, &c);
	load_telemetry(&r, &c);
	load_otlp(&r, &c);
	load_site(&r, &c);
	load_events(&r, &c);
	load_covers(&r, &c);
	if (strlen(c.secret) < 32)
		fail(&r,
		    "SEOGA_SECRET (or SEOGA_SECRET_FILE) must be at least"
		    " 32 characters; it keys the form tokens.");
	if (r.failed) {
		while (r.line_count)
			free(r.lines[--r.line_count]);
		return RC_BAD_INPUT;
	}
	*conf = c;
	return RC_OK;
}
