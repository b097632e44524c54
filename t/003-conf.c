/* lib/conf: what is the case when nothing is set, and every mistake. */
#include "../lib/conf.h"

#include <glib.h>
#include <glib/gstdio.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static char error[256];

/* Only these settings, "NAME=value" without SEOGA_; the list ends in NULL. */
static int
load(struct conf *conf, ...)
{
	char **names = g_listenv(), **name;
	const char *setting;
	va_list ap;

	for (name = names; *name; name++) {
		if (g_str_has_prefix(*name, "SEOGA_"))
			g_unsetenv(*name);
	}
	g_strfreev(names);
	va_start(ap, conf);
	while ((setting = va_arg(ap, const char *))) {
		char **pair = g_strsplit(setting, "=", 2);
		char *full = g_strconcat("SEOGA_", pair[0], NULL);

		g_setenv(full, pair[1], TRUE);
		g_free(full);
		g_strfreev(pair);
	}
	va_end(ap);
	error[0] = '\0';
	return conf_load(conf, error, sizeof(error));
}

static void
test_defaults(void)
{
	struct conf c;

	g_assert_cmpint(load(&c, "SECRET=" SECRET, NULL), ==, RC_OK);
	g_assert_cmpstr(error, ==, "");
	g_assert_cmpstr(c.db_hosts, ==, "127.0.0.1:3306");
	g_assert_cmpstr(c.db_user, ==, "seoga");
	g_assert_cmpstr(c.db_password, ==, "");
	g_assert_cmpstr(c.db_name, ==, "seoga");
	g_assert_cmpstr(c.db_admin_user, ==, "seoga");
	g_assert_cmpstr(c.db_admin_password, ==, "");
	g_assert_cmpstr(c.redis_hosts, ==, "127.0.0.1:6379");
	g_assert_cmpstr(c.redis_password, ==, "");
	g_assert_cmpint(c.redis_db, ==, 0);
	g_assert_cmpint(c.connect_ms, ==, 1000);
	g_assert_cmpint(c.command_ms, ==, 2000);
	g_assert_cmpstr(c.template_dir, ==, SEOGA_DATADIR "/templates");
	g_assert_cmpstr(c.static_dir, ==, SEOGA_DATADIR "/static");
	g_assert_cmpstr(c.sql_dir, ==, SEOGA_DATADIR "/sql");
	g_assert_cmpstr(c.locale_dir, ==, SEOGA_LOCALEDIR);
	g_assert_null(c.log_file);
	g_assert_null(c.var_dir);
	g_assert_cmpstr(c.cors_origins, ==, "");
	g_assert_cmpstr(c.secret, ==, SECRET);
	g_assert_cmpint(c.session_s, ==, 1800);
	g_assert_cmpint(c.remember_s, ==, 604800);
	g_assert_cmpint(c.lock_s, ==, 900);
	g_assert_null(c.breaker_file);
	g_assert_cmpint(c.breaker_failures, ==, 5);
	g_assert_cmpint(c.breaker_timeout_s, ==, 10);
	g_assert_cmpint(c.breaker_probe_ms, ==, 1000);
	g_assert_cmpint(c.breaker_reset_s, ==, 30);
	g_assert_cmpint(c.cache_s, ==, 300);
	g_assert_cmpint(c.form_limit, ==, 65536);
	g_assert_cmpint(c.trace_rate, ==, 10000);
	g_assert_cmpint(c.sql_comments, ==, 20);
}

static void
test_rate(void)
{
	static const struct {
		const char *setting;
		int rate;
	} good[] = { { "TRACE_RATE=0", 0 }, { "TRACE_RATE=0.05", 500 },
		{ "TRACE_RATE=0.0001", 1 }, { "TRACE_RATE=1", 10000 },
		{ "TRACE_RATE=1.0", 10000 }, { "TRACE_RATE=0.9999", 9999 } };
	static const char *const bad[] = { "TRACE_RATE=1.1", "TRACE_RATE=2",
		"TRACE_RATE=0.00001", "TRACE_RATE=.5", "TRACE_RATE=0,5",
		"TRACE_RATE=-1", "TRACE_RATE=0.", "TRACE_RATE=5%",
		"TRACE_RATE=01", "TRACE_RATE=x" };
	struct conf c;

	for (size_t i = 0; i < LENGTH(good); i++) {
		g_assert_cmpint(
		    load(&c, "SECRET=" SECRET, good[i].setting, NULL), ==,
		    RC_OK);
		g_assert_cmpint(c.trace_rate, ==, good[i].rate);
	}
	for (size_t i = 0; i < LENGTH(bad); i++) {
		g_assert_cmpint(
		    load(&c, "SECRET=" SECRET, bad[i], NULL), ==, RC_BAD_INPUT);
		g_assert_nonnull(strstr(error, "SEOGA_TRACE_RATE"));
	}
	g_assert_cmpint(
	    load(&c, "SECRET=" SECRET, "TELEMETRY=off", NULL), ==, RC_OK);
	g_assert_cmpint(c.trace_rate, ==, 0);
}

static void
test_settings(void)
{
	struct conf c;

	g_assert_cmpint(load(&c, "SECRET=" SECRET, "DB_HOSTS=a:1,b",
			    "DB_USER=u", "DB_PASSWORD=p w", "DB_NAME=n",
			    "REDIS_HOSTS=r", "REDIS_PASSWORD=rp", "REDIS_DB=3",
			    "CONNECT_MS=10", "COMMAND_MS=60000", "TEMPLATES=/t",
			    "STATIC=/s", "SQL=/q", "LOCALE=/l", "LOG_FILE=/log",
			    "VAR=/v", "CORS_ORIGINS=https://a.example",
			    "SESSION_S=1", "REMEMBER_S=2147483647", "LOCK_S=2",
			    "ORDER_EXPIRY_S=3", "FORM_LIMIT=1024", NULL),
	    ==, RC_OK);
	g_assert_cmpstr(c.db_hosts, ==, "a:1,b");
	g_assert_cmpstr(c.db_user, ==, "u");
	g_assert_cmpstr(c.db_password, ==, "p w");
	g_assert_cmpstr(c.db_name, ==, "n");
	/* The programs' own account migrates when there is no other. */
	g_assert_cmpstr(c.db_admin_user, ==, "u");
	g_assert_cmpstr(c.db_admin_password, ==, "p w");
	g_assert_cmpstr(c.redis_hosts, ==, "r");
	g_assert_cmpstr(c.redis_password, ==, "rp");
	g_assert_cmpint(c.redis_db, ==, 3);
	g_assert_cmpint(c.connect_ms, ==, 10);
	g_assert_cmpint(c.command_ms, ==, 60000);
	g_assert_cmpstr(c.template_dir, ==, "/t");
	g_assert_cmpstr(c.static_dir, ==, "/s");
	g_assert_cmpstr(c.sql_dir, ==, "/q");
	g_assert_cmpstr(c.locale_dir, ==, "/l");
	g_assert_cmpstr(c.log_file, ==, "/log");
	g_assert_cmpstr(c.var_dir, ==, "/v");
	g_assert_cmpstr(c.cors_origins, ==, "https://a.example");
	g_assert_cmpint(c.session_s, ==, 1);
	g_assert_cmpint(c.remember_s, ==, 2147483647);
	g_assert_cmpint(c.lock_s, ==, 2);
	g_assert_cmpint(c.order_expiry_s, ==, 3);
	g_assert_cmpint(c.form_limit, ==, 1024);
}

/* Empty is as if it were not set: that is what a compose file gives. */
static void
test_empty_settings(void)
{
	struct conf c;

	g_assert_cmpint(
	    load(&c, "SECRET=" SECRET, "DB_HOSTS=", "LOG_FILE=", "CONNECT_MS=",
		"DB_PASSWORD_FILE=", "DB_PASSWORD=x", NULL),
	    ==, RC_OK);
	g_assert_cmpstr(c.db_hosts, ==, "127.0.0.1:3306");
	g_assert_null(c.log_file);
	g_assert_cmpint(c.connect_ms, ==, 1000);
	g_assert_cmpstr(c.db_password, ==, "x");
}

static void
test_bad_numbers(void)
{
	static const char *const bad[] = { "x", "1x", "1.5", "0x10", "9", "-1",
		"60001", "99999999999999999999", "2147483658", "1 000", "1e3",
		" ", "+", "-" };
	struct conf c = { .connect_ms = -7 };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *setting = g_strconcat("CONNECT_MS=", bad[i], NULL);
		char *want =
		    g_strdup_printf("SEOGA_CONNECT_MS must be a whole"
				    " number from 10 to 60000, not \"%s\".",
			bad[i]);

		g_assert_cmpint(load(&c, "SECRET=" SECRET, setting, NULL), ==,
		    RC_BAD_INPUT);
		g_assert_cmpstr(error, ==, want);
		g_assert_cmpint(c.connect_ms, ==, -7);
		g_free(setting);
		g_free(want);
	}
}

static void
test_number_limits(void)
{
	static const char *const bad[] = { "COMMAND_MS=9", "REDIS_DB=-1",
		"REDIS_DB=1024", "SESSION_S=0", "REMEMBER_S=0", "LOCK_S=0",
		"SESSION_S=2147483648", "FORM_LIMIT=1023",
		"FORM_LIMIT=10485761" };
	struct conf c;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_cmpint(
		    load(&c, "SECRET=" SECRET, bad[i], NULL), ==, RC_BAD_INPUT);
		g_assert_true(strncmp(error + strlen("SEOGA_"), bad[i],
				  strcspn(bad[i], "=")) == 0);
	}
	/* The first mistake is the one that is told. */
	g_assert_cmpint(
	    load(&c, "CONNECT_MS=x", "FORM_LIMIT=x", NULL), ==, RC_BAD_INPUT);
	g_assert_true(g_str_has_prefix(error, "SEOGA_CONNECT_MS "));
}

static void
test_secret(void)
{
	struct conf c = { .secret = "before" };
	char small[20];

	g_assert_cmpint(load(&c, NULL), ==, RC_BAD_INPUT);
	g_assert_true(g_str_has_prefix(
	    error, "SEOGA_SECRET (or SEOGA_SECRET_FILE) must be at least 32 "));
	g_assert_cmpint(
	    load(&c, "SECRET=0123456789abcdef0123456789abcde", NULL), ==,
	    RC_BAD_INPUT);
	/* Nothing of a secret that was refused is told. */
	g_assert_null(strstr(error, "abcde"));
	g_assert_cmpstr(c.secret, ==, "before");

	memset(small, 'x', sizeof(small));
	g_assert_cmpint(conf_load(&c, small, 10), ==, RC_BAD_INPUT);
	g_assert_cmpuint(strlen(small), ==, 9);
	g_assert_cmpint(small[10], ==, 'x');
}

static char *folder;

/* "NAME=path" of a file with this content. */
static char *
file_setting(const char *name, const char *content)
{
	char *path = g_build_filename(folder, name, NULL);
	char *setting = g_strconcat(name, "=", path, NULL);

	g_assert_true(g_file_set_contents(path, content, -1, NULL));
	g_free(path);
	return setting;
}

static void
test_files(void)
{
	char *secret = file_setting("SECRET_FILE", SECRET "\n");
	char *db = file_setting("DB_PASSWORD_FILE", "two words\r\nmore\n");
	char *admin = file_setting("DB_ADMIN_PASSWORD_FILE", "no newline");
	char *redis = file_setting("REDIS_PASSWORD_FILE", "\nsecond\n");
	static struct conf c; /* what it read lives as long as we */

	/* The file wins over the variable. */
	g_assert_cmpint(load(&c, secret, db, admin, redis, "SECRET=short",
			    "DB_PASSWORD=other", NULL),
	    ==, RC_OK);
	g_assert_cmpstr(c.secret, ==, SECRET);
	g_assert_cmpstr(c.db_password, ==, "two words");
	g_assert_cmpstr(c.db_admin_password, ==, "no newline");
	g_assert_cmpstr(c.redis_password, ==, "");
	g_free(secret);
	g_free(db);
	g_free(admin);
	g_free(redis);
}

static void
test_bad_files(void)
{
	char *empty = file_setting("DB_PASSWORD_FILE", "");
	char *short_secret = file_setting("SECRET_FILE", "short\n" SECRET);
	char *is_folder = g_strconcat("DB_PASSWORD_FILE=", folder, NULL);
	struct conf c;

	g_assert_cmpint(
	    load(&c, "SECRET=" SECRET, "DB_PASSWORD_FILE=/nowhere/x", NULL), ==,
	    RC_BAD_INPUT);
	g_assert_cmpstr(error, ==,
	    "SEOGA_DB_PASSWORD_FILE: cannot read "
	    "/nowhere/x: No such file or directory.");
	g_assert_cmpint(
	    load(&c, "SECRET=" SECRET, empty, NULL), ==, RC_BAD_INPUT);
	g_assert_true(g_str_has_suffix(error, ": it is empty."));
	g_assert_cmpint(
	    load(&c, "SECRET=" SECRET, is_folder, NULL), ==, RC_BAD_INPUT);
	g_assert_true(g_str_has_suffix(error, ": Is a directory."));
	g_assert_cmpint(load(&c, short_secret, NULL), ==, RC_BAD_INPUT);
	g_free(empty);
	g_free(short_secret);
	g_free(is_folder);
}

static void
remove_folder(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		char *path = g_build_filename(folder, name, NULL);

		g_unlink(path);
		g_free(path);
	}
	g_dir_close(dir);
	g_rmdir(folder);
	g_free(folder);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	folder = g_dir_make_tmp("seoga-conf-XXXXXX", NULL);
	g_test_add_func("/conf/defaults", test_defaults);
	g_test_add_func("/conf/rate", test_rate);
	g_test_add_func("/conf/settings", test_settings);
	g_test_add_func("/conf/empty-settings", test_empty_settings);
	g_test_add_func("/conf/bad-numbers", test_bad_numbers);
	g_test_add_func("/conf/number-limits", test_number_limits);
	g_test_add_func("/conf/secret", test_secret);
	g_test_add_func("/conf/files", test_files);
	g_test_add_func("/conf/bad-files", test_bad_files);
	status = g_test_run();
	remove_folder();
	return status;
}
