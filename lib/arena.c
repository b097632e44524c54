/* arena -- see arena.h. */
#include "arena.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define FIRST_BLOCK ((size_t)64 * 1024)
#define SHORT_TEXT 256 /* is formatted once, longer text twice */
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *prev;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct cleanup {
	struct cleanup *prev;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *first, *last;
	struct cleanup *cleanups;
	size_t cap, total, used;
	void (*on_full)(void *);
	void *on_full_arg;
};

static struct block *
block_new(size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	*b = (struct block){ .size = size };
	POISON(b->data, size);
	return b;
}

struct arena *
arena_open(size_t cap)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->first = a->last = block_new(FIRST_BLOCK);
	if (!a->first) {
		free(a);
		return NULL;
	}
	a->cap = cap;
	a->total = FIRST_BLOCK;
	return a;
}

void
arena_on_full(struct arena *a, void (*on_full)(void *), void *arg)
{
	a->on_full = on_full;
	a->on_full_arg = arg;
}

void
arena_reset(struct arena *a)
{
	struct block *b;

	/* A clean-up may defer another one: take them one by one. */
	while (a->cleanups) {
		struct cleanup *c = a->cleanups;

		a->cleanups = c->prev;
		c->fn(c->arg);
	}
	while ((b = a->last) != a->first) {
		a->last = b->prev;
		UNPOISON(b->data, b->size);
		free(b);
	}
	POISON(a->first->data, a->first->size);
	a->first->used = 0;
	a->total = FIRST_BLOCK;
	a->used = 0;
}

void
arena_close(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	UNPOISON(a->first->data, a->first->size);
	free(a->first);
	free(a);
}

ATTR_NORETURN static void
full(struct arena *a)
{
	if (a->on_full)
		a->on_full(a->on_full_arg);
	fputs("seoga: a request needs more memory than it may have\n", stderr);
	abort();
}

/* A block with room for size bytes becomes the last one. */
static void
grow(struct arena *a, size_t size)
{
	size_t want = a->last->size * 2;
	struct block *b;

	if (size > a->cap || a->total > a->cap - size)
		full(a);
	if (want < size)
		want = size;
	if (want > a->cap - a->total)
		want = a->cap - a->total;
	b = block_new(want);
	if (!b)
		full(a);
	b->prev = a->last;
	a->last = b;
	a->total += want;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->last;
	unsigned char *p;

	/* The cap also keeps the rounding below from overflowing. */
	if (size > a->cap)
		full(a);
	size = size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
	if (size > b->size - b->used) {
		grow(a, size);
		b = a->last;
	}
	p = b->data + b->used;
	UNPOISON(p, size);
	b->used += size;
	a->used += size;
	return p;
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char text[SHORT_TEXT], *s;
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(text, sizeof(text), fmt, again);
	va_end(again);
	if (len < 0)
		return arena_strdup(a, "");
	if ((size_t)len < sizeof(text))
		return arena_strndup(a, text, (size_t)len);
	s = arena_alloc(a, (size_t)len + 1);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup *c = arena_alloc(a, sizeof(*c));

	*c = (struct cleanup){ .prev = a->cleanups, .fn = fn, .arg = arg };
	a->cleanups = c;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
