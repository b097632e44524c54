/*
 * Tests lib/attack: what counts as an event, that figures age, that memory
 * stays the same under a flood, and who is one client.
 */
#include "attack.h"

#include "log.h"
#include "utf8.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOW INT64_C(1800000000) /* a whole minute */
#define FLOOD 1000000

static char dir[] = "/tmp/seoga-attack-XXXXXX";
static char *file;
static struct attack_seen list[ATTACK_ADDRESSES];

/* An empty file, and what is counted from here on. */
static void
start(void)
{
	struct conf conf = { .attack_file = file };

	g_unlink(file);
	metric_open(&conf, NULL);
	attack_open(&conf);
}

static const char *
time_text(int64_t second)
{
	static char text[40];
	time_t when = (time_t)second;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.500Z", &tm);
	return text;
}

static void
answered(int64_t second, const char *addr, const char *path, int status)
{
	char line[1024];
	int len = snprintf(line, sizeof(line),
	    "{\"ts\":\"%s\",\"lvl\":\"info\",\"trace\":\"\",\"prog\":\"nginx\","
	    "\"pid\":1,\"ev\":\"nginx.request\",\"span\":\"\",\"parent\":\"\","
	    "\"addr\":\"%s\",\"method\":\"GET\",\"path\":\"%s\",\"route\":\"\","
	    "\"status\":%d,\"bytes\":1,\"request_time\":0.001,"
	    "\"upstream_response_time\":\"\"}",
	    time_text(second), addr, path, status);

	attack_note(line, (size_t)len);
}

static void
failed(int64_t second, const char *addr)
{
	char line[512];
	int len = snprintf(line, sizeof(line),
	    "{\"ts\":\"%s\",\"lvl\":\"warn\",\"trace\":\"\",\"prog\":\"login\","
	    "\"pid\":1,\"ev\":\"login.failed\",\"at\":5,\"failures\":1,"
	    "\"addr\":\"%s\"}",
	    time_text(second), addr);

	attack_note(line, (size_t)len);
}

static size_t
listed(int64_t now)
{
	return attack_list(now, list, LENGTH(list));
}

static const struct attack_seen *
find(const char *addr, int64_t now)
{
	size_t n = listed(now);

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].addr, addr) == 0)
			return &list[i];
	return NULL;
}

/* Events of a kind within the hour before now. */
static int64_t
events(enum attack_kind kind, int64_t now)
{
	int64_t minutes[ATTACK_MINUTES][ATTACK_KINDS], sum = 0;

	attack_minutes(now, minutes);
	for (size_t i = 0; i < ATTACK_MINUTES; i++)
		sum += minutes[i][kind];
	return sum;
}

static int64_t
counter(enum metric_counter which)
{
	return (int64_t)metric_board()->counters[which];
}

static void
test_kinds(void)
{
	const struct attack_seen *seen;
	int64_t logins = counter(METRIC_ATTACK_LOGINS);
	int64_t limited = counter(METRIC_ATTACK_LIMITED);

	start();
	failed(NOW, "203.0.113.7");
	failed(NOW + 1, "203.0.113.7");
	answered(NOW + 2, "203.0.113.7", "/login", 429);
	answered(NOW + 3, "203.0.113.7", "/nothing", 404);
	answered(NOW + 4, "203.0.113.7", "/login", 403);
	answered(NOW + 5, "203.0.113.7", "/", 200);
	answered(NOW + 5, "203.0.113.7", "/", 499);
	answered(NOW + 5, "203.0.113.7", "/", 500);
	g_assert_cmpuint(listed(NOW + 5), ==, 1);
	seen = &list[0];
	g_assert_cmpstr(seen->addr, ==, "203.0.113.7");
	g_assert_cmpint(seen->five.logins, ==, 2);
	g_assert_cmpint(seen->five.errors, ==, 2);
	g_assert_cmpint(seen->five.unknown, ==, 1);
	g_assert_cmpint(seen->five.probes, ==, 0);
	g_assert_cmpint(seen->five.limited, ==, 1);
	g_assert_cmpmem(
	    &seen->five, sizeof(seen->five), &seen->hour, sizeof(seen->hour));
	g_assert_cmpint(seen->last, ==, NOW + 4);
	g_assert_cmpstr(seen->path, ==, "/login");
	g_assert_false(seen->burst);
	g_assert_false(seen->scanner);
	g_assert_cmpint(events(ATTACK_LOGIN_FAILED, NOW), ==, 2);
	g_assert_cmpint(events(ATTACK_LIMITED, NOW), ==, 1);
	g_assert_cmpint(events(ATTACK_BURST, NOW), ==, 0);
	g_assert_cmpint(events(ATTACK_SCANNER, NOW), ==, 0);
	g_assert_cmpint(counter(METRIC_ATTACK_LOGINS) - logins, ==, 2);
	g_assert_cmpint(counter(METRIC_ATTACK_LIMITED) - limited, ==, 1);
}

static void
test_burst(void)
{
	int64_t before = counter(METRIC_ATTACK_BURSTS);

	start();
	for (int i = 0; i < ATTACK_BURST_ERRORS - 1; i++)
		answered(NOW + i, "203.0.113.8", "/login", 400);
	g_assert_cmpint(events(ATTACK_BURST, NOW), ==, 0);
	answered(NOW + 30, "203.0.113.8", "/login", 400);
	g_assert_cmpint(events(ATTACK_BURST, NOW), ==, 1);
	for (int i = 0; i < 100; i++)
		answered(NOW + 31, "203.0.113.8", "/login", 400);
	g_assert_cmpint(events(ATTACK_BURST, NOW), ==, 1);
	g_assert_true(find("203.0.113.8", NOW + 60)->burst);
	/* It goes on in the next minute: another event. */
	answered(NOW + 60, "203.0.113.8", "/login", 400);
	g_assert_cmpint(events(ATTACK_BURST, NOW + 60), ==, 2);
	g_assert_cmpint(counter(METRIC_ATTACK_BURSTS) - before, ==, 2);
	/* Half of it at the end of a minute, half at the next one's start. */
	for (int i = 0; i < 12; i++)
		answered(NOW + 659, "203.0.113.9", "/login", 400);
	for (int i = 0; i < 9; i++)
		answered(NOW + 660, "203.0.113.9", "/login", 400);
	g_assert_true(find("203.0.113.9", NOW + 660)->burst);
	/* As many, but slowly. */
	for (int i = 0; i < 40; i++)
		answered(NOW + 720 + 10 * i, "203.0.113.10", "/login", 400);
	g_assert_false(find("203.0.113.10", NOW + 1120)->burst);
}

static void
test_scanner(void)
{
	char path[64];

	start();
	for (int i = 0; i < 100; i++)
		answered(NOW + i / 10, "203.0.113.11", "/books/old", 404);
	g_assert_false(find("203.0.113.11", NOW)->scanner);
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/backup-%d.zip", i);
		answered(NOW + 30 + i, "203.0.113.12", path, 404);
	}
	g_assert_true(find("203.0.113.12", NOW + 90)->scanner);
	g_assert_cmpint(events(ATTACK_SCANNER, NOW + 90), ==, 1);
	/* Slowly enough for SCAN_MINUTES: not one of those. */
	for (int i = 0; i < 14; i++) {
		snprintf(path, sizeof(path), "/old-%d", i);
		answered(NOW + i * 60, "203.0.113.13", path, 404);
	}
	g_assert_false(find("203.0.113.13", NOW + 900)->scanner);
}

static void
test_probes(void)
{
	static const char *const probes[] = { "/wp-login.php", "/.env",
		"/.git/config", "/phpmyadmin/index.php", "/WP-Admin/",
		"/x/y.PHP", "/a/../etc", "/a/%2e%2E/b", "/cgi-bin/test.cgi" };
	static const char *const harmless[] = { "/books/99999999", "/php",
		"/environment", "/books", "/covers/1.svg", "/" };
	char addr[32];

	start();
	for (size_t i = 0; i < LENGTH(probes); i++) {
		snprintf(addr, sizeof(addr), "198.51.100.%zu", i);
		answered(NOW, addr, probes[i], 404);
		g_assert_true(find(addr, NOW)->scanner);
		g_assert_cmpint(find(addr, NOW)->five.probes, ==, 1);
	}
	for (size_t i = 0; i < LENGTH(harmless); i++) {
		snprintf(addr, sizeof(addr), "198.51.101.%zu", i);
		answered(NOW, addr, harmless[i], 404);
		g_assert_false(find(addr, NOW)->scanner);
		g_assert_cmpint(find(addr, NOW)->five.probes, ==, 0);
	}
	g_assert_cmpint(events(ATTACK_SCANNER, NOW), ==, LENGTH(probes));
	/* One a while, not one a probe. */
	answered(NOW + 1, "198.51.100.0", "/xmlrpc.php", 404);
	g_assert_cmpint(events(ATTACK_SCANNER, NOW), ==, LENGTH(probes));
	answered(NOW + 60 * ATTACK_SCAN_MINUTES, "198.51.100.0", "/.env", 404);
	g_assert_cmpint(events(ATTACK_SCANNER, NOW + 60 * ATTACK_SCAN_MINUTES),
	    ==, LENGTH(probes) + 1);
	/* Who is let in is no scanner. */
	answered(NOW, "198.51.102.1", "/.env", 200);
	g_assert_null(find("198.51.102.1", NOW));
}

static void
test_ageing(void)
{
	const struct attack_seen *seen;

	start();
	failed(NOW, "203.0.113.7");
	failed(NOW + 59, "203.0.113.7");
	answered(NOW + 59, "203.0.113.7", "/.env", 404);
	seen = find("203.0.113.7", NOW + 299);
	g_assert_cmpint(seen->five.logins, ==, 2);
	seen = find("203.0.113.7", NOW + 300);
	g_assert_cmpint(seen->five.logins, ==, 0);
	g_assert_cmpint(seen->hour.logins, ==, 2);
	failed(NOW + 1800, "203.0.113.7");
	seen = find("203.0.113.7", NOW + 1800);
	g_assert_cmpint(seen->five.logins, ==, 1);
	g_assert_cmpint(seen->hour.logins, ==, 3);
	g_assert_true(seen->scanner);
	seen = find("203.0.113.7", NOW + 3600);
	g_assert_cmpint(seen->hour.logins, ==, 1);
	g_assert_false(seen->scanner);
	g_assert_null(find("203.0.113.7", NOW + 1800 + 3600));
	/* An hour later the same places hold other minutes. */
	failed(NOW + 7200, "203.0.113.7");
	seen = find("203.0.113.7", NOW + 7200);
	g_assert_cmpint(seen->hour.logins, ==, 1);
	g_assert_cmpint(events(ATTACK_LOGIN_FAILED, NOW + 7200), ==, 1);
	/* A line that comes late belongs to its own minute. */
	failed(NOW + 7260, "203.0.113.7");
	failed(NOW + 7210, "203.0.113.7");
	g_assert_cmpint(find("203.0.113.7", NOW + 7500)->five.logins, ==, 1);
	g_assert_cmpint(find("203.0.113.7", NOW + 7500)->hour.logins, ==, 3);
	g_assert_cmpint(find("203.0.113.7", NOW + 7500)->last, ==, NOW + 7260);
	/* One of yesterday's changes nothing. */
	failed(NOW, "203.0.113.7");
	g_assert_cmpint(find("203.0.113.7", NOW + 7500)->hour.logins, ==, 3);
}

static void
test_clients(void)
{
	char masked[ATTACK_ADDR];

	start();
	failed(NOW, "2001:db8:1:2::1");
	failed(NOW, "2001:db8:1:2:ffff:ffff:ffff:ffff");
	failed(NOW, "2001:0db8:0001:0002:0:0:0:3");
	failed(NOW, "2001:db8:1:3::1");
	failed(NOW, "::1");
	failed(NOW, "::ffff:203.0.113.7");
	failed(NOW, "203.0.113.7");
	g_assert_cmpuint(listed(NOW), ==, 4);
	g_assert_cmpint(find("2001:db8:1:2::/64", NOW)->five.logins, ==, 3);
	g_assert_cmpint(find("2001:db8:1:3::/64", NOW)->five.logins, ==, 1);
	g_assert_cmpint(find("::/64", NOW)->five.logins, ==, 1);
	g_assert_cmpint(find("203.0.113.7", NOW)->five.logins, ==, 2);
	/* Without an address there is still the event. */
	failed(NOW, "unix:");
	failed(NOW, "<script>");
	g_assert_cmpuint(listed(NOW), ==, 4);
	g_assert_cmpint(events(ATTACK_LOGIN_FAILED, NOW), ==, 9);

	attack_mask("203.0.113.7", masked);
	g_assert_cmpstr(masked, ==, "203.0.113.x");
	attack_mask("2001:db8:1:2::/64", masked);
	g_assert_cmpstr(masked, ==, "2001:db8:x");
	attack_mask("::/64", masked);
	g_assert_cmpstr(masked, ==, "::x");
	attack_mask("", masked);
	g_assert_cmpstr(masked, ==, "x");
}

static void
test_paths(void)
{
	char path[600];

	start();
	answered(NOW, "192.0.2.1", "/<script>alert(1)</script>", 404);
	g_assert_cmpstr(
	    find("192.0.2.1", NOW)->path, ==, "/<script>alert(1)</script>");
	answered(NOW, "192.0.2.1", "/\xec\x84\x9c\xea\xb0\x80", 404);
	g_assert_cmpstr(
	    find("192.0.2.1", NOW)->path, ==, "/\xec\x84\x9c\xea\xb0\x80");
	/* Bytes that are no text, a new line, and one that turns writing. */
	answered(NOW, "192.0.2.1", "/\xff\\n\xe2\x80\xaex", 404);
	g_assert_cmpstr(find("192.0.2.1", NOW)->path, ==, "/???x");
	/* Cut within a character. */
	memset(path, 'a', sizeof(path));
	for (size_t i = 2; i + 3 < sizeof(path); i += 3)
		memcpy(path + i, "\xec\x84\x9c", 3);
	path[0] = '/';
	path[500] = '\0';
	answered(NOW, "192.0.2.1", path, 404);
	g_assert_cmpuint(strlen(find("192.0.2.1", NOW)->path), <, ATTACK_PATH);
	g_assert_cmpuint(
	    strlen(find("192.0.2.1", NOW)->path), >, ATTACK_PATH - 5);
	g_assert_true(utf8_valid(find("192.0.2.1", NOW)->path,
	    strlen(find("192.0.2.1", NOW)->path)));
}

/* The one who tries passwords is still known after a million others. */
static void
test_flood(void)
{
	struct stat st;
	char addr[64];
	off_t size;

	start();
	g_assert_cmpint(stat(file, &st), ==, 0);
	size = st.st_size;
	g_assert_cmpint(size, <, 1024 * 1024);
	for (int i = 0; i < 50; i++)
		failed(NOW + i, "203.0.113.7");
	for (int i = 0; i < FLOOD; i++) {
		snprintf(addr, sizeof(addr), "%d.%d.%d.%d", 1 + i % 200,
		    i / 200 % 200, i / 40000 % 200, i % 7);
		answered(NOW + 60 + i / 10000, addr, "/none", 404);
	}
	g_assert_cmpuint(listed(NOW + 160), <=, ATTACK_ADDRESSES);
	g_assert_cmpuint(listed(NOW + 160), >, ATTACK_ADDRESSES / 2);
	g_assert_cmpint(find("203.0.113.7", NOW + 160)->hour.logins, ==, 50);
	g_assert_cmpint(list[0].hour.logins, ==, 50);
	g_assert_cmpint(stat(file, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, size);
	/* Networks of IPv6 cost no more. */
	for (int i = 0; i < FLOOD / 10; i++) {
		snprintf(addr, sizeof(addr), "2001:db8:%x:%x::1", i / 65536,
		    i % 65536);
		failed(NOW + 170, addr);
	}
	g_assert_cmpuint(listed(NOW + 170), <=, ATTACK_ADDRESSES);
	g_assert_cmpint(
	    events(ATTACK_LOGIN_FAILED, NOW + 170), ==, 50 + FLOOD / 10);
	/* What was quiet for long makes room first. */
	for (int i = 0; i < 50000; i++) {
		snprintf(addr, sizeof(addr), "11.%d.%d.%d", i / 65536,
		    i / 256 % 256, i % 256);
		answered(NOW + 7200, addr, "/none", 404);
	}
	g_assert_null(find("203.0.113.7", NOW + 7200));
}

static void
test_order(void)
{
	struct attack_seen three[3];

	start();
	for (int i = 1; i <= 8; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "192.0.2.%d", i);
		for (int j = 0; j < i; j++)
			answered(NOW, addr, "/none", 404);
	}
	answered(NOW, "192.0.2.77", "/.env", 404);
	g_assert_cmpuint(attack_list(NOW, three, 3), ==, 3);
	g_assert_cmpstr(three[0].addr, ==, "192.0.2.77");
	g_assert_cmpstr(three[1].addr, ==, "192.0.2.8");
	g_assert_cmpstr(three[2].addr, ==, "192.0.2.7");
	g_assert_cmpuint(attack_list(NOW, three, 0), ==, 0);
}

/* One that is not sampled has no line of the program. */
static void
test_unsampled(void)
{
	static const char line[] =
	    "{\"ts\":\"2027-01-15T08:00:%02d.500Z\",\"ev\":\"nginx.request\","
	    "\"flags\":\"%s\",\"addr\":\"192.0.2.5\",\"method\":\"%s\","
	    "\"path\":\"/login\",\"route\":\"%s\",\"status\":%d}";
	static const struct {
		const char *flags, *method, *route;
		int status, counts;
	} tries[] = { { "00", "POST", "login", 400, 1 },
		{ "00", "POST", "login", 401, 1 },
		{ "00", "POST", "login", 403, 1 },
		{ "01", "POST", "login", 400, 0 },
		{ "00", "GET", "login", 403, 0 },
		{ "00", "POST", "register", 400, 0 },
		{ "00", "POST", "login", 303, 0 },
		{ "00", "POST", "login", 429, 0 },
		{ "00", "POST", "login", 405, 0 } };
	int64_t sum = 0;
	char text[400];

	start();
	for (size_t i = 0; i < LENGTH(tries); i++) {
		int len =
		    snprintf(text, sizeof(text), line, (int)i, tries[i].flags,
			tries[i].method, tries[i].route, tries[i].status);

		attack_note(text, (size_t)len);
		sum += tries[i].counts;
		g_assert_cmpint(events(ATTACK_LOGIN_FAILED, NOW), ==, sum);
	}
}

/* What is no line, or not ours. */
static void
test_lines(void)
{
	static const char *const lines[] = { "", "{", "nonsense",
		"{\"ev\":\"req.end\",\"status\":404,\"addr\":\"192.0.2.1\"}",
		"{\"ev\":\"nginx.request\",\"status\":404}",
		"{\"ev\":\"nginx.request\",\"status\":\"404\",\"ts\":1}",
		"{\"ev\":\"login.failed\",\"ts\":\"yesterday\","
		"\"addr\":\"192.0.2.1\"}",
		"{\"ev\":7}" };

	start();
	for (size_t i = 0; i < LENGTH(lines); i++)
		attack_note(lines[i], strlen(lines[i]));
	g_assert_cmpuint(listed(time(NULL)), ==, 0);
	g_assert_cmpuint(listed(0), ==, 0);
}

/* Readers in another process see it, and none of it half done. */
static void
test_shared(void)
{
	struct conf conf = { .attack_file = file };
	int status;
	pid_t pid;

	start();
	failed(NOW, "203.0.113.7");
	failed(NOW, "203.0.113.7");
	pid = fork();
	if (pid == 0) {
		attack_open(&conf);
		for (int i = 0; i < 20000; i++) {
			failed(NOW, "203.0.113.7");
			answered(NOW, "203.0.113.7", "/.env", 404);
		}
		_exit(0);
	}
	for (int i = 0; i < 200; i++) {
		const struct attack_seen *seen = find("203.0.113.7", NOW);

		if (!seen)
			continue;
		/* Each goes up by one in turn. */
		g_assert_cmpint(
		    seen->five.logins - 2 - seen->five.probes, >=, 0);
		g_assert_cmpint(
		    seen->five.logins - 2 - seen->five.probes, <=, 1);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
	g_assert_cmpint(find("203.0.113.7", NOW)->five.logins, ==, 20002);
}

/* A file of no use: the recorder goes on by itself, pages have no figures. */
static void
test_no_file(void)
{
	struct conf none = { 0 }, wrong = { .attack_file = dir };

	attack_open(&wrong);
	failed(NOW, "203.0.113.7");
	g_assert_nonnull(find("203.0.113.7", NOW));
	attack_open(&none);
	failed(NOW, "203.0.113.7");
	g_assert_cmpint(find("203.0.113.7", NOW)->five.logins, ==, 2);
}

int
main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!g_mkdtemp(dir) || log_open("t", "/dev/null") < 0)
		return 1;
	file = g_build_filename(dir, "attack", NULL);
	g_test_add_func("/attack/kinds", test_kinds);
	g_test_add_func("/attack/burst", test_burst);
	g_test_add_func("/attack/scanner", test_scanner);
	g_test_add_func("/attack/probes", test_probes);
	g_test_add_func("/attack/ageing", test_ageing);
	g_test_add_func("/attack/clients", test_clients);
	g_test_add_func("/attack/paths", test_paths);
	g_test_add_func("/attack/flood", test_flood);
	g_test_add_func("/attack/order", test_order);
	g_test_add_func("/attack/unsampled", test_unsampled);
	g_test_add_func("/attack/lines", test_lines);
	g_test_add_func("/attack/shared", test_shared);
	g_test_add_func("/attack/no-file", test_no_file);
	status = g_test_run();
	g_unlink(file);
	g_rmdir(dir);
	g_free(file);
	return status;
}
