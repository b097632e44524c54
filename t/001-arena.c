/* lib/arena: alignment, growth, the cap, clean-ups, memory given back. */
#include "../lib/arena.h"

#include <glib.h>
#include <setjmp.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

enum { KIB = 1024, FIRST = 64 * KIB, CAP = 1024 * KIB };

static void
test_alignment(void)
{
	struct arena *a = arena_open(CAP);
	unsigned char *before = NULL, *p;
	size_t size;

	for (size = 0; size < 300; size++) {
		p = arena_alloc(a, size);
		g_assert_cmpuint((uintptr_t)p % _Alignof(max_align_t), ==, 0);
		g_assert_true(p != before);
		memset(p, (int)size, size);
		if (size > 1) {
			g_assert_cmpuint(before[0], ==, (size - 1) & 255);
			g_assert_cmpuint(
			    before[size - 2], ==, (size - 1) & 255);
		}
		before = p;
	}
	arena_close(a);
}

/* Pieces of 1 KiB lie side by side within a block. */
static void
test_doubling(void)
{
	struct arena *a = arena_open(16 * (size_t)CAP);
	unsigned char *p, *before = NULL;
	size_t run = 0, block = FIRST / KIB, i;

	for (i = 0; i < 4 * KIB; i++, before = p) {
		p = arena_alloc(a, KIB);
		memset(p, (int)(i & 255), KIB);
		if (before)
			g_assert_cmpuint(before[KIB - 1], ==, (i - 1) & 255);
		if (run++ < block)
			continue;
		g_assert_true(p != before + KIB);
		run = 1;
		block *= 2;
	}
	g_assert_cmpuint(block * KIB, ==, 4 * CAP);
	g_assert_cmpuint(arena_used(a), ==, 4 * CAP);
	arena_close(a);
}

/* More than twice the last block gets a block of its own size. */
static void
test_large(void)
{
	struct arena *a = arena_open(4 * (size_t)CAP);
	char *p = arena_alloc(a, 1000 * (size_t)KIB);

	memset(p, 1, 1000 * (size_t)KIB);
	memset(arena_alloc(a, KIB), 2, KIB);
	g_assert_cmpint(p[0], ==, 1);
	g_assert_cmpint(p[1000 * KIB - 1], ==, 1);
	arena_close(a);
}

static jmp_buf full_jump;
static int full_count;

static void
on_full(void *arg)
{
	full_count += *(int *)arg;
	longjmp(full_jump, 1);
}

static bool
has_room(struct arena *a, size_t size)
{
	static int one = 1;

	arena_on_full(a, on_full, &one);
	if (setjmp(full_jump))
		return false;
	memset(arena_alloc(a, size), 0, size);
	return true;
}

static void
test_cap(void)
{
	struct arena *a = arena_open(CAP);
	int i, pieces;

	for (i = 0; i < 3; i++) {
		full_count = 0;
		for (pieces = 0; has_room(a, KIB); pieces++)
			g_assert_cmpuint(arena_used(a), <=, CAP);
		g_assert_cmpint(full_count, ==, 1);
		g_assert_cmpint(pieces, ==, CAP / KIB);
		g_assert_false(has_room(a, KIB));
		arena_reset(a);
		g_assert_cmpuint(arena_used(a), ==, 0);
	}
	arena_close(a);
}

static void
test_cap_of_one_piece(void)
{
	static const size_t too_large[] = { CAP + 1, CAP, CAP - FIRST + 1,
		SIZE_MAX / 2, SIZE_MAX - 64, SIZE_MAX - 7, SIZE_MAX - 1 };
	struct arena *a = arena_open(CAP);
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(too_large); i++) {
		volatile size_t size = too_large[i];

		g_assert_false(has_room(a, size));
		g_assert_cmpuint(arena_used(a), ==, 0);
	}
	g_assert_true(has_room(a, FIRST));
	g_assert_true(has_room(a, CAP - FIRST));
	g_assert_false(has_room(a, 1));
	arena_close(a);
}

static void
test_default_on_full(void)
{
	if (g_test_subprocess()) {
		arena_alloc(arena_open(FIRST), FIRST + 1);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*more memory than it may have*");
}

static GString *order;
static struct arena *order_arena;

static void
note(void *arg)
{
	g_string_append(order, arg);
}

/* Uses the arena's memory, which must still be there, and defers again. */
static void
note_and_defer(void *arg)
{
	note(arg);
	arena_defer(order_arena, note, arena_strdup(order_arena, "+"));
}

static void
test_defer(void)
{
	order = g_string_new(NULL);
	order_arena = arena_open(CAP);
	arena_defer(order_arena, note, arena_strdup(order_arena, "1"));
	arena_defer(
	    order_arena, note_and_defer, arena_strdup(order_arena, "2"));
	arena_alloc(order_arena, 2 * (size_t)FIRST);
	arena_defer(order_arena, note, arena_strdup(order_arena, "3"));
	g_assert_cmpstr(order->str, ==, "");
	arena_reset(order_arena);
	g_assert_cmpstr(order->str, ==, "32+1");
	arena_reset(order_arena);
	g_assert_cmpstr(order->str, ==, "32+1");
	arena_defer(order_arena, note, (void *)(uintptr_t) "c");
	arena_close(order_arena);
	g_assert_cmpstr(order->str, ==, "32+1c");
	g_string_free(order, TRUE);
}

static void
test_reset(void)
{
	struct arena *a = arena_open(CAP);
	void *first = arena_alloc(a, 100), *again;

	arena_alloc(a, 2 * (size_t)FIRST);
	g_assert_cmpuint(arena_used(a), >=, 100 + 2 * FIRST);
	arena_reset(a);
	g_assert_cmpuint(arena_used(a), ==, 0);
	again = arena_alloc(a, 100);
	g_assert_true(again == first);
	arena_close(a);
	arena_close(NULL);
}

static void
test_strings(void)
{
	struct arena *a = arena_open(CAP);
	char *wide = g_strnfill(200000, 'x');
	char *s;

	g_assert_cmpstr(arena_strdup(a, ""), ==, "");
	g_assert_cmpstr(arena_strdup(a, "서가"), ==, "서가");
	g_assert_cmpstr(arena_strndup(a, "abc", 2), ==, "ab");
	s = arena_strndup(a, "a\0b", 3);
	g_assert_cmpmem(s, 4, "a\0b", 4);
	g_assert_cmpstr(arena_printf(a, "%s=%d", "a", -7), ==, "a=-7");
	s = arena_printf(a, "<%s>", wide);
	g_assert_cmpuint(strlen(s), ==, 200002);
	g_assert_cmpint(s[200001], ==, '>');
	g_free(wide);
	arena_close(a);
}

static void
test_poison(void)
{
#if defined(__SANITIZE_ADDRESS__)
	struct arena *a = arena_open(CAP);
	char *p = arena_alloc(a, 32);

	if (g_test_subprocess()) {
		arena_reset(a);
		p[5] = 1;
		return;
	}
	g_assert_false(__asan_address_is_poisoned(p + 31));
	g_assert_true(__asan_address_is_poisoned(p + 32));
	arena_close(a);
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*use-after-poison*");
#else
	g_test_skip("only AddressSanitizer tells");
#endif
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/arena/alignment", test_alignment);
	g_test_add_func("/arena/doubling", test_doubling);
	g_test_add_func("/arena/large", test_large);
	g_test_add_func("/arena/cap", test_cap);
	g_test_add_func("/arena/cap-of-one-piece", test_cap_of_one_piece);
	g_test_add_func("/arena/default-on-full", test_default_on_full);
	g_test_add_func("/arena/defer", test_defer);
	g_test_add_func("/arena/reset", test_reset);
	g_test_add_func("/arena/strings", test_strings);
	g_test_add_func("/arena/poison", test_poison);
	return g_test_run();
}
