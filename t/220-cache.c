/*
 * Tests lib/cache on a private Redis: replies, pipelines, scripts, errors,
 * lost links, deadlines.  SEOGA_TEST_REDIS_SOCKET names its socket; its data
 * are thrown away.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "cache.h"
#include "lib/backend.h"

static struct conf conf;
static struct req req;
static struct cache *other; /* a second link */
static char log_file[] = "/tmp/seoga-cache-XXXXXX";

static struct cache_script incr = { .name = "incr",
	.lua = "return redis.call('INCRBY', KEYS[1], ARGV[1])" };

static void
begin(void)
{
	struct cache_reply *reply;

	test_req_next(&req);
	g_assert_cmpint(
	    cache_command(&req, &reply, "FLUSHALL", NULL), ==, RC_OK);
	test_req_next(&req);
	g_free(test_log_take(log_file));
}

static struct cache_reply *
ask(const char *command, const char *a, const char *b)
{
	struct cache_reply *reply = NULL;

	g_assert_cmpint(
	    cache_command(&req, &reply, command, a, b, NULL), ==, RC_OK);
	return reply;
}

static int64_t
number(const char *command, const char *key)
{
	struct cache_reply *reply = ask(command, key, NULL);

	return reply && reply->type == CACHE_INT ? reply->i : -999;
}

static const char *
text(const char *key)
{
	struct cache_reply *reply = ask("GET", key, NULL);

	return reply && reply->type == CACHE_TEXT ? reply->s : NULL;
}

/* Runs a command with the second link. */
static void
other_does(const char *command, const char *a, const char *b, const char *c)
{
	struct cache *mine = req.cache;
	struct cache_reply *reply;

	req.cache = other;
	g_assert_cmpint(
	    cache_command(&req, &reply, command, a, b, c, NULL), ==, RC_OK);
	req.cache = mine;
}

static void
kill_mine(void)
{
	char id[24];

	snprintf(id, sizeof(id), "%d", (int)number("CLIENT", "ID"));
	other_does("CLIENT", "KILL", "ID", id);
}

static void
test_types(void)
{
	struct cache_reply **r = NULL;

	cache_queue(&req, "SET", "k", "v", NULL);
	cache_queue(&req, "GET", "k", NULL);
	cache_queue(&req, "GET", "none", NULL);
	cache_queue(&req, "INCRBY", "i", "-9223372036854775808", NULL);
	cache_queue(&req, "LRANGE", "none", "0", "-1", NULL);
	cache_queue(&req, "RPUSH", "l", "", "b", NULL);
	cache_queue(&req, "LRANGE", "l", "0", "-1", NULL);
	cache_queue(&req, "EVAL", "return {1, {2, {'x'}}, false}", "0", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	g_assert_cmpint(req.redis_count, ==, 1);
	g_assert_cmpstr(r[0]->s, ==, "OK");
	g_assert_cmpint(r[1]->type, ==, CACHE_TEXT);
	g_assert_cmpstr(r[1]->s, ==, "v");
	g_assert_cmpuint(r[1]->len, ==, 1);
	g_assert_cmpint(r[2]->type, ==, CACHE_NIL);
	g_assert_cmpint(r[3]->type, ==, CACHE_INT);
	g_assert_true(r[3]->i == INT64_MIN);
	g_assert_cmpint(r[4]->type, ==, CACHE_LIST);
	g_assert_cmpuint(r[4]->len, ==, 0);
	g_assert_cmpuint(r[6]->len, ==, 2);
	g_assert_cmpstr(r[6]->list[0]->s, ==, "");
	g_assert_cmpuint(r[6]->list[0]->len, ==, 0);
	g_assert_cmpstr(r[6]->list[1]->s, ==, "b");
	g_assert_cmpuint(r[7]->len, ==, 3);
	g_assert_cmpint(r[7]->list[0]->i, ==, 1);
	g_assert_cmpstr(r[7]->list[1]->list[1]->list[0]->s, ==, "x");
	g_assert_cmpint(r[7]->list[2]->type, ==, CACHE_NIL);
}

static void
test_nothing(void)
{
	struct cache_reply **r = NULL;

	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	g_assert_nonnull(r);
	g_assert_cmpint(req.redis_count, ==, 0);
}

static void
test_metacharacters(void)
{
	const char *odd = "a b\r\n*1\r\n$8\r\nFLUSHALL\r\n\" ' %s %b {} 책";

	ask("SET", odd, odd);
	g_assert_cmpstr(text(odd), ==, odd);
	g_assert_cmpint(number("EXISTS", odd), ==, 1);
}

/* A value with every byte, NUL too. */
static void
test_binary(void)
{
	struct cache_reply *reply = NULL;

	g_assert_cmpint(
	    cache_command(&req, &reply, "EVAL",
		"local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end "
		"return table.concat(t)",
		"0", NULL),
	    ==, RC_OK);
	g_assert_cmpuint(reply->len, ==, 256);
	for (size_t i = 0; i < reply->len && i < 256; i++)
		g_assert_cmpint((unsigned char)reply->s[i], ==, (int)i);
	g_assert_cmpint(reply->s[256], ==, '\0');
}

static void
test_large(void)
{
	char *big = g_strnfill(3 << 20, 'x');
	struct cache_reply *reply;

	ask("SET", "big", big);
	reply = ask("GET", "big", NULL);
	g_assert_cmpuint(reply->len, ==, 3 << 20);
	g_assert_cmpint(memcmp(reply->s, big, reply->len), ==, 0);
	g_free(big);
}

static void
test_pipeline(void)
{
	struct cache_reply **r = NULL;
	char key[16];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key:%d", i);
		cache_queue(&req, "SET", key, key + 4, NULL);
	}
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	for (int i = 0; i < 100; i++) {
		const char *argv[] = { "GET", key };

		snprintf(key, sizeof(key), "key:%d", i);
		cache_queue_v(&req, argv, 2);
	}
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	for (int i = 0; i < 100; i++)
		g_assert_cmpint(g_ascii_strtoll(r[i]->s, NULL, 10), ==, i);
	g_assert_cmpint(req.redis_count, ==, 2);
}

static void
test_field(void)
{
	struct cache_reply *hash;

	other_does("HSET", "h", "name", "책");
	other_does("HSET", "h", "role", "");
	hash = ask("HGETALL", "h", NULL);
	g_assert_cmpstr(cache_field(hash, "name"), ==, "책");
	g_assert_cmpstr(cache_field(hash, "role"), ==, "");
	g_assert_null(cache_field(hash, "nam"));
	/* A value is no name. */
	g_assert_null(cache_field(hash, "책"));
	g_assert_null(cache_field(NULL, "name"));
	g_assert_null(cache_field(ask("GET", "none", NULL), "name"));
}

/* What a request left in the queue is not sent by the next one. */
static void
test_forgotten_queue(void)
{
	struct cache_reply **r = NULL;

	cache_queue(&req, "SET", "left", "1", NULL);
	test_req_next(&req);
	cache_queue(&req, "EXISTS", "left", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	g_assert_cmpint(r[0]->type, ==, CACHE_INT);
	g_assert_cmpint(r[0]->i, ==, 0);
}

static void
test_log(void)
{
	const char *id = "01234567-89ab-4def-8123-456789abcdef";
	char *key = g_strconcat("session:", id, NULL);
	char *long_key = g_strnfill(200, 'k');
	struct cache_reply **r = NULL;
	char *log;

	cache_queue(&req, "HGETALL", key, NULL);
	cache_queue(&req, "HLEN", "cart:7", NULL);
	cache_queue(&req, "GET", id, NULL);
	cache_queue(&req, "GET", "session:odd-secret-value", NULL);
	cache_queue(&req, "GET", long_key, NULL);
	cache_queue(&req, "PING", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	log = test_log_take(log_file);
	g_assert_nonnull(strstr(log,
	    "\"redis.cmd\",\"cmds\":\"HGETALL "
	    "session:01234567…, HLEN cart:7, GET 01234567…, "
	    "GET session:odd-secr…, GET kkkk"));
	g_assert_nonnull(strstr(log, "kk…, PING\",\"n\":6,\"us\":"));
	g_assert_null(strstr(log, "4def"));
	g_free(log);
	g_free(key);
	g_free(long_key);
}

/* Scripts. */

static int64_t
run_incr(const char *by)
{
	const char *argv[] = { "n", by };
	struct cache_reply **r = NULL;

	cache_queue_script(&req, &incr, 1, argv, 2);
	if (cache_run(&req, &r) < 0 || r[0]->type != CACHE_INT)
		return -999;
	return r[0]->i;
}

static void
test_script(void)
{
	char *log;

	incr.sha[0] = '\0';
	g_assert_cmpint(run_incr("2"), ==, 2);
	g_assert_cmpuint(strlen(incr.sha), ==, 40);
	g_assert_cmpint(run_incr("3"), ==, 5);
	g_assert_cmpint(req.redis_count, ==, 2);
	log = test_log_take(log_file);
	g_assert_nonnull(strstr(log, "\"EVALSHA incr n\",\"n\":1"));
	g_free(log);
}

static void
test_script_unknown(void)
{
	char *log;

	g_assert_cmpint(run_incr("1"), ==, 1);
	other_does("SCRIPT", "FLUSH", NULL, NULL);
	g_free(test_log_take(log_file));
	test_req_next(&req);
	g_assert_cmpint(run_incr("1"), ==, 2);
	g_assert_cmpint(req.redis_count, ==, 2);
	g_assert_cmpint(run_incr("1"), ==, 3);
	g_assert_cmpint(req.redis_count, ==, 3);
	log = test_log_take(log_file);
	g_assert_null(strstr(log, "error"));
	g_free(log);
}

/* Scripts among commands: every reply in its place, whatever is sent. */
static void
test_script_order(void)
{
	static struct cache_script fresh = { .name = "fresh",
		.lua = "return ARGV[1]" };
	const char *one[] = { "n", "1" }, *word[] = { "word" };

	for (int round = 0; round < 3; round++) {
		struct cache_reply **r = NULL;

		if (round == 2)
			other_does("SCRIPT", "FLUSH", NULL, NULL);
		ask("SET", "n", "0");
		cache_queue(&req, "EXISTS", "n", NULL);
		cache_queue_script(&req, &fresh, 0, word, 1);
		cache_queue(&req, "STRLEN", "n", NULL);
		cache_queue_script(&req, &incr, 1, one, 2);
		cache_queue_script(&req, &fresh, 0, word, 1);
		cache_queue(&req, "TYPE", "n", NULL);
		g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
		g_assert_cmpint(r[0]->i, ==, 1);
		g_assert_cmpstr(r[1]->s, ==, "word");
		g_assert_cmpint(r[2]->i, ==, 1);
		g_assert_cmpint(r[3]->i, ==, 1);
		g_assert_cmpstr(r[4]->s, ==, "word");
		g_assert_cmpstr(r[5]->s, ==, "string");
	}
}

/* Errors. */

static void
test_error_reply(void)
{
	const char *id = "01234567-89ab-4def-8123-456789abcdef";
	struct cache_reply **r = NULL, *reply = NULL;
	char *log;

	cache_queue(&req, "SET", "k", "v", NULL);
	cache_queue(&req, "HLEN", "k", NULL);
	cache_queue(&req, "NONSENSE", id, NULL);
	cache_queue(&req, "GET", "k", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_OK);
	g_assert_cmpint(r[1]->type, ==, CACHE_ERROR);
	g_assert_true(g_str_has_prefix(r[1]->s, "WRONGTYPE "));
	g_assert_cmpint(r[2]->type, ==, CACHE_ERROR);
	g_assert_cmpstr(r[3]->s, ==, "v");
	log = test_log_take(log_file);
	g_assert_nonnull(strstr(log, "\"redis.error\",\"msg\":\"WRONGTYPE "));
	g_assert_null(strstr(log, "4def"));
	g_free(log);
	g_assert_null(req.fail_text);
	g_assert_cmpint(
	    cache_command(&req, &reply, "HLEN", "k", NULL), ==, RC_BUG);
	g_assert_null(reply);
	g_assert_null(strstr(req.fail_text, "WRONGTYPE"));
}

static void
test_oom(void)
{
	struct cache_reply **r = NULL;

	other_does("CONFIG", "SET", "maxmemory", "1");
	cache_queue(&req, "GET", "k", NULL);
	cache_queue(&req, "SET", "k", "v", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_DOWN);
	g_assert_null(r);
	g_assert_cmpint(req.retry_after, ==, 5);
	other_does("CONFIG", "SET", "maxmemory", "0");
	test_req_next(&req);
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
}

static void
test_auth(void)
{
	struct conf own = conf;
	struct cache *mine = req.cache;
	char *log;

	other_does("CONFIG", "SET", "requirepass", "open sesame");
	own.redis_db = 3;
	own.redis_password = "wrong";
	req.cache = cache_open(&own);
	g_assert_cmpint(cache_ping(&req), ==, RC_DOWN);
	own.redis_password = "open sesame";
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
	ask("SET", "in3", "1");
	own.redis_password = "";
	test_req_next(&req);
	cache_close(req.cache);
	req.cache = cache_open(&own);
	g_assert_cmpint(cache_ping(&req), ==, RC_DOWN);
	test_req_next(&req);
	cache_close(req.cache);
	req.cache = mine;
	other_does("CONFIG", "SET", "requirepass", "");
	g_assert_cmpint(number("EXISTS", "in3"), ==, 0);
	log = test_log_take(log_file);
	g_assert_nonnull(strstr(log, "WRONGPASS"));
	g_assert_nonnull(strstr(log, "NOAUTH"));
	g_assert_null(strstr(log, "sesame"));
	g_free(log);
}

/* Lost links and deadlines. */

static void
test_killed(void)
{
	ask("SET", "n", "1");
	kill_mine();
	g_assert_cmpstr(text("n"), ==, "1");
	kill_mine();
	g_assert_cmpint(number("INCR", "n"), ==, 2);
	g_assert_null(req.fail_text);
}

/* Redis takes the write and dies before it answers: it may not come twice. */
static void
test_killed_write(void)
{
	struct cache_reply **r = NULL;
	char id[24];

	ask("SET", "n", "1");
	snprintf(id, sizeof(id), "%d", (int)number("CLIENT", "ID"));
	cache_queue(&req, "INCR", "n", NULL);
	cache_queue(&req, "CLIENT", "KILL", "ID", id, "SKIPME", "no", NULL);
	cache_queue(&req, "GET", "n", NULL);
	g_assert_cmpint(cache_run(&req, &r), ==, RC_DOWN);
	g_assert_null(r);
	g_assert_cmpint(req.retry_after, ==, 5);
	test_req_next(&req);
	g_assert_cmpstr(text("n"), ==, "2");
}

static void
assert_down_within(int64_t since, int rc, int least, int most)
{
	int ms = test_ms(since);

	g_test_message("%d ms", ms);
	g_assert_cmpint(rc, ==, RC_DOWN);
	g_assert_cmpint(ms, >=, least);
	g_assert_cmpint(ms, <=, most);
	g_assert_nonnull(req.fail_text);
	g_assert_cmpint(req.retry_after, ==, 5);
}

static void
test_sleeping_server(void)
{
	struct cache_reply **r = NULL;
	int64_t t = log_now();

	cache_queue(&req, "DEBUG", "SLEEP", "1.6", NULL);
	cache_queue(&req, "GET", "n", NULL);
	assert_down_within(t, cache_run(&req, &r), 950, 1200);
	/* A read is not repeated either. */
	test_req_next(&req);
	g_usleep(800 * 1000);
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
}

/* The first reply in time, the second one not: one deadline for both. */
static void
test_trickle(void)
{
	struct cache_reply **r = NULL;
	int64_t t = log_now();

	cache_queue(&req, "DEBUG", "SLEEP", "0.7", NULL);
	cache_queue(&req, "DEBUG", "SLEEP", "0.7", NULL);
	assert_down_within(t, cache_run(&req, &r), 950, 1200);
	test_req_next(&req);
	g_usleep(600 * 1000);
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
}

static void
assert_no_ping(const char *hosts, int least, int most)
{
	struct conf own = test_conf(hosts);
	struct cache *mine = req.cache;
	int64_t t = log_now();

	req.cache = cache_open(&own);
	assert_down_within(t, cache_ping(&req), least, most);
	test_req_next(&req);
	cache_close(req.cache);
	req.cache = mine;
}

static void
test_mute_server(void)
{
	char path[108];
	int fd = test_mute_open(path);

	assert_no_ping(path, 950, 1300);
	test_mute_close(fd, path);
}

static void
test_no_server(void)
{
	assert_no_ping("/nowhere/redis.sock", 0, 300);
	assert_no_ping("127.0.0.1:1,127.0.0.1:2", 0, 300);
	g_assert_null(cache_open(&(struct conf){ .redis_hosts = "a:b" }));
}

static void
test_heal(void)
{
	char dir[] = "/tmp/seoga-XXXXXX", path[64];
	struct conf own = conf;
	struct cache *mine = req.cache;

	g_assert_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/redis", dir);
	own.redis_hosts = path;
	req.cache = cache_open(&own);
	g_assert_cmpint(cache_ping(&req), ==, RC_DOWN);
	g_assert_cmpint(symlink(conf.redis_hosts, path), ==, 0);
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
	test_req_next(&req);
	cache_close(req.cache);
	req.cache = mine;
	unlink(path);
	rmdir(dir);
}

/* A server of our own that answers every connection with the same bytes. */
static void
fake_answer(int fd, const char *answer)
{
	char text[512];
	int link = accept(fd, NULL, NULL);

	if (recv(link, text, sizeof(text), 0) > 0 &&
	    write(link, answer, strlen(answer)) < 0)
		g_error("no answer");
	/* Until the other side has gone. */
	while (recv(link, text, sizeof(text), 0) > 0)
		continue;
	close(link);
}

static void
assert_broken(const char *answer, int least, int most)
{
	char path[108];
	int fd = test_mute_open(path);
	pid_t pid = fork();

	if (pid == 0) {
		fake_answer(fd, answer);
		_exit(0);
	}
	close(fd);
	assert_no_ping(path, least, most);
	waitpid(pid, NULL, 0);
	test_mute_close(-1, path);
}

/* Replies that are wrong, cut or endless. */
static void
test_broken_replies(void)
{
	assert_broken("?what\r\n", 0, 300);
	assert_broken("*2147483648\r\n", 0, 300);
	assert_broken("*3\r\n$1\r\na\r\n*2\r\n:1\r\n", 950, 1300);
	assert_broken("$100\r\nabc", 950, 1300);
	assert_broken("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
		      "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	    0, 300);
}

/* A port on which a child answers as that kind of server; its process. */
static pid_t
fake_role(const char *role, int *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0), link;
	char text[128];
	pid_t pid;

	if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		g_error("no port");
	*port = ntohs(addr.sin_port);
	pid = fork();
	if (pid == 0) {
		alarm(10);
		for (;;) {
			link = accept(fd, NULL, NULL);
			while (recv(link, text, sizeof(text), 0) > 0)
				dprintf(link, "*1\r\n$%zu\r\n%s\r\n",
				    strlen(role), role);
			close(link);
		}
	}
	close(fd);
	return pid;
}

/* Of several hosts the one that is a master serves. */
static void
test_role(void)
{
	int slave_port, master_port;
	pid_t slave = fake_role("slave", &slave_port);
	pid_t master = fake_role("master", &master_port);
	struct conf own = conf;
	struct cache *mine = req.cache;
	struct cache_reply *reply;
	char list[64];

	snprintf(list, sizeof(list), "127.0.0.1:%d,127.0.0.1:%d", slave_port,
	    master_port);
	own.redis_hosts = list;
	req.cache = cache_open(&own);
	reply = ask("GET", "who", NULL);
	g_assert_cmpstr(reply->list[0]->s, ==, "master");
	test_req_next(&req);
	cache_close(req.cache);
	snprintf(list, sizeof(list), "127.0.0.1:%d,127.0.0.1:%d", slave_port,
	    slave_port);
	assert_no_ping(list, 0, 300);
	req.cache = mine;
	kill(slave, SIGKILL);
	kill(master, SIGKILL);
	waitpid(slave, NULL, 0);
	waitpid(master, NULL, 0);
}

/* A list longer than the memory of a request: the jump to the error page
 * leaves the link unusable, and nothing of the list behind. */
static jmp_buf full;

static void
on_full(void *arg)
{
	longjmp(*(jmp_buf *)arg, 1);
}

static void
test_jump(void)
{
	struct arena *a = req.arena;
	struct cache_reply *reply;

	other_does("SET", "n", "7", NULL);
	g_assert_cmpint(cache_ping(&req), ==, RC_OK);
	test_req_next(&req);
	req.arena = test_arena = arena_open(200 << 10);
	arena_on_full(test_arena, on_full, &full);
	if (setjmp(full) == 0) {
		g_assert_cmpint(
		    cache_command(&req, &reply, "EVAL",
			"local t = {} for i = 1, 30000 do t[i] = i end"
			" return t",
			"0", NULL),
		    ==, RC_OK);
		g_assert_not_reached();
	}
	arena_close(test_arena);
	req.arena = test_arena = a;
	test_req_next(&req);
	g_assert_cmpstr(text("n"), ==, "7");
}

static const struct test {
	const char *path;
	void (*run)(void);
} tests[] = {
	{ "/cache/types", test_types },
	{ "/cache/nothing", test_nothing },
	{ "/cache/metacharacters", test_metacharacters },
	{ "/cache/binary", test_binary },
	{ "/cache/large", test_large },
	{ "/cache/pipeline", test_pipeline },
	{ "/cache/field", test_field },
	{ "/cache/forgotten_queue", test_forgotten_queue },
	{ "/cache/log", test_log },
	{ "/cache/script", test_script },
	{ "/cache/script_unknown", test_script_unknown },
	{ "/cache/script_order", test_script_order },
	{ "/cache/error_reply", test_error_reply },
	{ "/cache/oom", test_oom },
	{ "/cache/auth", test_auth },
	{ "/cache/killed", test_killed },
	{ "/cache/killed_write", test_killed_write },
	{ "/cache/sleeping_server", test_sleeping_server },
	{ "/cache/trickle", test_trickle },
	{ "/cache/mute_server", test_mute_server },
	{ "/cache/no_server", test_no_server },
	{ "/cache/heal", test_heal },
	{ "/cache/broken_replies", test_broken_replies },
	{ "/cache/role", test_role },
	{ "/cache/jump", test_jump },
};

static void
run(gconstpointer arg)
{
	const struct test *test = arg;

	begin();
	test->run();
}

static void
close_all(void)
{
	test_req_next(&req);
	cache_close(req.cache);
	cache_close(other);
	test_req_close(&req);
	unlink(log_file);
}

int
main(int argc, char **argv)
{
	const char *place = g_getenv("SEOGA_TEST_REDIS_SOCKET");
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	if (!place) {
		printf("1..0 # SKIP SEOGA_TEST_REDIS_SOCKET is not set\n");
		return 0;
	}
	close(mkstemp(log_file));
	log_open("test", log_file);
	conf = test_conf(place);
	test_req_open(&req, &conf);
	req.cache = cache_open(&conf);
	other = cache_open(&conf);
	for (size_t i = 0; i < LENGTH(tests); i++)
		g_test_add_data_func(tests[i].path, &tests[i], run);
	status = g_test_run();
	close_all();
	return status;
}
