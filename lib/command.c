/* command -- see command.h. */
#include "command.h"

#include "buf.h"
#include "cache.h"
#include "db.h"
#include "log.h"
#include "metric.h"
#include "secret.h"

#define MEMORY ((size_t)256 * 1024 * 1024)
#define ADMIN_MS (10 * 60 * 1000) /* a migration may take its time */
#define PATIENT_MS (60 * 1000)	  /* so may what somebody waits for */

static const char *command_name = "seoga";
static struct arena *model_arena; /* where jansson's values are */

static void *
model_alloc(size_t size)
{
	return arena_alloc(model_arena, size);
}

static void
model_free(void *p ATTR_UNUSED)
{
	/* arena_close() frees the whole model */
}

void
command_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "seoga %s: ", command_name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(EXIT_FAILURE);
}

void
command_die_of(const struct req *req, const char *text)
{
	command_die("%s", req->fail_text ? req->fail_text : text);
}

void
command_begin(const char *name)
{
	command_name = name;
}

/* db_ms: what MariaDB may take for a statement; 0: as the settings say. */
static void
open_all(struct req *req, const char *name, bool admin, int db_ms)
{
	static struct conf read; /* also owns what it read from files */
	static struct conf conf; /* for MariaDB */
	char error[256];

	command_begin(name);
	log_open(name, NULL);
	if (conf_load(&read, error, sizeof(error)) < 0)
		command_die("%s", error);
	/* Who gives a command wants it tried. */
	read.breaker_failures = 0;
	conf = read;
	if (admin) {
		conf.db_user = conf.db_admin_user;
		conf.db_password = conf.db_admin_password;
	}
	if (db_ms)
		conf.command_ms = db_ms;
	if (db_ms && db_ms < read.command_ms)
		read.command_ms = db_ms;
	if (secret_init() < 0)
		command_die("the system has no randomness");
	lang_open(conf.locale_dir);
	lang_use(LANG_EN);
	*req = (struct req){ .conf = &conf,
		.lang = LANG_EN,
		.arena = arena_open(MEMORY),
		.db = db_open(&conf),
		.cache = cache_open(&read),
		.addr = "" };
	if (!req->arena || !req->db || !req->cache)
		command_die("there is no memory");
	model_arena = req->arena;
	json_set_alloc_funcs(model_alloc, model_free);
}

void
command_open(struct req *req, const char *name, bool admin)
{
	open_all(req, name, admin, admin ? ADMIN_MS : PATIENT_MS);
	/* Progress is printed; only what goes wrong is worth a line. */
	log_quiet();
	metric_open(req->conf, NULL);
}

void
command_open_hurried(struct req *req, const char *name, int ms)
{
	open_all(req, name, false, ms);
	(void)log_open(name, "/dev/null");
	metric_open(req->conf, NULL);
}

void
command_open_job(struct req *req, const char *name)
{
	open_all(req, name, false, 0);
	if (log_open(name, req->conf->log_file) < 0)
		log_msg(LOG_ERROR, "log.open", "cannot write %s",
		    req->conf->log_file);
	metric_open(req->conf, name);
}

void
command_close(struct req *req)
{
	metric_leave();
	json_set_alloc_funcs(malloc, free);
	/* Its clean-ups need the links. */
	arena_close(req->arena);
	db_close(req->db);
	cache_close(req->cache);
}
