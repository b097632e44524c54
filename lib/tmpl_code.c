/* tmpl_code -- the memory of templates, which grows while they are compiled.
 * That is at the start of a program: without memory there is no start. */
#include "tmpl_internal.h"

void *
tmpl_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	array = reallocarray(array, *room, size);
	if (!array)
		abort();
	return array;
}

struct code *
tmpl_code_new(void)
{
	struct code *code = calloc(1, sizeof(*code));

	if (!code)
		abort();
	tmpl_pool_add(code, "", 1); /* so that the pool is never NULL */
	return code;
}

void
tmpl_code_free(struct code *code)
{
	if (!code)
		return;
	free(code->ops);
	free(code->parts);
	free(code->pool);
	free(code);
}

uint32_t
tmpl_code_add(struct code *code, enum op_kind kind)
{
	code->ops =
	    tmpl_grow(code->ops, code->count, &code->room, sizeof(*code->ops));
	code->ops[code->count] =
	    (struct op){ .kind = (uint8_t)kind, .end = code->count + 1 };
	return code->count++;
}

void
tmpl_part_add(struct code *code, struct piece part)
{
	code->parts = tmpl_grow(code->parts, code->part_count, &code->part_room,
	    sizeof(*code->parts));
	code->parts[code->part_count++] = part;
}

struct piece
tmpl_pool_add(struct code *code, const char *s, uint32_t len)
{
	struct piece p = { code->pool_len, len };

	if (code->pool_room - code->pool_len < len) {
		code->pool_room = code->pool_room * 2 + len;
		code->pool = realloc(code->pool, code->pool_room);
		if (!code->pool)
			abort();
	}
	if (len)
		memcpy(code->pool + code->pool_len, s, len);
	code->pool_len += len;
	return p;
}

struct tmpl *
tmpl_new(const char *name, size_t len)
{
	struct tmpl *t = calloc(1, sizeof(*t));

	if (!t || !(t->name = strndup(name, len)))
		abort();
	return t;
}

void
tmpl_free(struct tmpl *t)
{
	tmpl_code_free(t->code);
	free(t->name);
	free(t);
}
