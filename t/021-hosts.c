/*
 * Tests lib/hosts: lists of places where a backend may be found, and
 * links whose other end is gone.
 */
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts.h"

static void
test_good(void)
{
	struct hosts h;

	g_assert_cmpint(
	    hosts_parse("a:1,b,10.0.0.1:65535,::1,[::2]:7,[::3]", 3306, &h), ==,
	    RC_OK);
	g_assert_cmpuint(h.n, ==, 6);
	g_assert_cmpstr(h.list[0].name, ==, "a");
	g_assert_cmpint(h.list[0].port, ==, 1);
	g_assert_cmpstr(h.list[1].name, ==, "b");
	g_assert_cmpint(h.list[1].port, ==, 3306);
	g_assert_cmpstr(h.list[2].name, ==, "10.0.0.1");
	g_assert_cmpint(h.list[2].port, ==, 65535);
	g_assert_cmpstr(h.list[3].name, ==, "::1");
	g_assert_cmpint(h.list[3].port, ==, 3306);
	g_assert_cmpstr(h.list[4].name, ==, "::2");
	g_assert_cmpint(h.list[4].port, ==, 7);
	g_assert_cmpstr(h.list[5].name, ==, "::3");
	g_assert_cmpint(h.list[5].port, ==, 3306);
}

static void
test_socket(void)
{
	struct hosts h;

	g_assert_cmpint(hosts_parse("/run/a,b:1.sock", 1, &h), ==, RC_OK);
	g_assert_cmpuint(h.n, ==, 1);
	g_assert_cmpstr(h.list[0].name, ==, "/run/a,b:1.sock");
	g_assert_cmpint(h.list[0].port, ==, 0);
}

static void
test_bad(void)
{
	static const char *const bad[] = { "", ",", "a,", ",a", "a:", ":1",
		"a:0", "a:65536", "a:99999999999999999999", "a:1x", "a: 1",
		"[::1", "[::1]x", "[]:1",
		"[::1]:", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" };
	struct hosts h = { .n = 42 };
	char *longer = g_strnfill(256, 'a');

	for (size_t i = 0; i < LENGTH(bad); i++)
		g_assert_cmpint(hosts_parse(bad[i], 1, &h), ==, RC_BAD_INPUT);
	g_assert_cmpint(hosts_parse(longer, 1, &h), ==, RC_BAD_INPUT);
	g_assert_cmpuint(h.n, ==, 42);
	longer[255] = '\0';
	g_assert_cmpint(hosts_parse(longer, 1, &h), ==, RC_OK);
	g_free(longer);
}

static void
test_order(void)
{
	struct hosts h;

	g_assert_cmpint(hosts_parse("a,b,c", 1, &h), ==, RC_OK);
	g_assert_cmpstr(hosts_at(&h, 0)->name, ==, "a");
	hosts_worked(&h, 2);
	g_assert_cmpstr(hosts_at(&h, 0)->name, ==, "c");
	g_assert_cmpstr(hosts_at(&h, 1)->name, ==, "a");
	hosts_worked(&h, 1);
	g_assert_cmpstr(hosts_at(&h, 0)->name, ==, "a");
	g_assert_cmpstr(hosts_at(&h, 2)->name, ==, "c");
}

static void
test_hung_up(void)
{
	int end[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, end), ==, 0);
	g_assert_false(hosts_hung_up(end[0]));
	/* Words that nobody asked for: a farewell. */
	g_assert_cmpint(send(end[1], "x", 1, 0), ==, 1);
	g_assert_true(hosts_hung_up(end[0]));
	g_assert_false(hosts_hung_up(end[1]));
	close(end[0]);
	g_assert_true(hosts_hung_up(end[1]));
	close(end[1]);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/hosts/good", test_good);
	g_test_add_func("/hosts/socket", test_socket);
	g_test_add_func("/hosts/bad", test_bad);
	g_test_add_func("/hosts/order", test_order);
	g_test_add_func("/hosts/hung-up", test_hung_up);
	return g_test_run();
}
