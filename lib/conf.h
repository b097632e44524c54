/*
 * conf -- the configuration: environment variables, read and checked once at
 * start.  doc/configuration.md has the table; the only place of getenv().
 *
 * Each secret may be given as NAME or, better, as NAME_FILE, a file whose
 * first line is the value.
 */
#ifndef SEOGA_CONF_H
#define SEOGA_CONF_H

#include "base.h"

struct conf {
	/* MariaDB: "host[:port][,host[:port]...]" or a socket's path. */
	const char *db_hosts;
	const char *db_user;
	const char *db_password;
	const char *db_name;
	/* The account that migrates; the programs' own when not set. */
	const char *db_admin_user;
	const char *db_admin_password;

	/* Redis: the same form as db_hosts. */
	const char *redis_hosts;
	const char *redis_password; /* "" = none */
	int redis_db;

	int connect_ms; /* deadline to connect to a backend, 1000 */
	int command_ms; /* deadline of one command, 2000 */

	/* Circuit breakers, see breaker.h. */
	const char *breaker_file; /* NULL: each process has its own */
	int breaker_failures;	  /* open after so many, 5; 0 = never */
	int breaker_timeout_s;	  /* of a call, 10 */
	int breaker_probe_ms;	  /* first probe after, 1000; doubles */
	int breaker_reset_s;	  /* up to, 30 */

	/* Traces and figures, see ring.h, traces.h, metric.h, history.h.  The
	 * files are NULL where there are none, or SEOGA_TELEMETRY=off. */
	const char *ring_file, *metric_file, *history_file;
	int history_step_s;		      /* of both, 10 */
	const char *attack_file, *trend_file; /* attack.h, trend.h */
	int trace_per_s;  /* of a host that are kept, 500; 0 = all */
	int sql_comments; /* statements a second and worker, 20 */
	int trace_rate;	  /* of 10,000 requests, so many are sampled */
	int trace_keep_s; /* in Redis, 3600 */
	int trace_max;	  /* traces, 20000 */
	int trace_bytes;  /* of all of them, 33554432 */

	/* A collector of spans, see bin/otlp.c. */
	const char *otlp_endpoint; /* its address; NULL: there is none */
	const char *otlp_headers;  /* "name=value,...", "" = none */
	int otlp_ms;		   /* deadline of one request, 10000 */
	bool otlp_gzip;

	const char *template_dir;
	const char *locale_dir;
	const char *static_dir;
	const char *doc_dir; /* with the runbooks */
	const char *sql_dir;
	const char *log_file;	  /* NULL = descriptor 2 */
	const char *var_dir;	  /* of the instance; NULL = not known */
	const char *cors_origins; /* comma-separated, "" = none */
	const char *secret;	  /* keys CSRF tokens; >= 32 characters */

	/* Uploaded covers, see store.h. */
	const char *cover_dir;	 /* where they are on this host */
	const char *command_dir; /* of seoga-shrink and seoga-s3 */
	const char *s3_url;	 /* of the bucket; NULL = the folder alone */
	const char *s3_region;
	const char *s3_key_id, *s3_secret; /* "" = the bucket is open */
	int s3_ms;			   /* deadline of one request, 5000 */

	int session_s;	    /* sliding life of a session, 1800 */
	int remember_s;	    /* with "remember me", 604800 */
	int lock_s;	    /* lock after 5 failed logins, 900 */
	int order_expiry_s; /* an order that is not paid, 900 */
	int form_limit;	    /* largest urlencoded or JSON body, bytes */
	int cache_s;	    /* longest life of what is cached, 300; 0 = off */

	int events_max;	     /* in the stream, 10000; it may have twice that */
	int events_retry_ms; /* until what was left is tried again, 30000 */
	int events_keep_s;   /* in the outbox after delivery, 604800 */
};

/* Reads everything.  On a mistake returns RC_BAD_INPUT with one sentence,
 * fit for an administrator, in error (which must not be NULL). */
int conf_load(struct conf *conf, char *error, size_t error_size);

#endif
