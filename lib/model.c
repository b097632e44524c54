/* model -- see model.h. */
#include "model.h"

static void
write_text(struct buf *out, const char *s, size_t len)
{
	buf_char(out, '"');
	buf_json(out, s, len);
	buf_char(out, '"');
}

static void
write_array(struct buf *out, const json_t *array)
{
	size_t n = json_array_size(array);

	buf_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(out, ',');
		model_write(json_array_get(array, i), out);
	}
	buf_char(out, ']');
}

static void
write_object(struct buf *out, const json_t *constant)
{
	/* jansson's iterators change nothing, but lack the const. */
	json_t *object = (json_t *)(uintptr_t)constant;
	const char *key, *before = "{\"";
	json_t *value;

	json_object_foreach(object, key, value) {
		buf_add(out, before, 2);
		buf_json(out, key, strlen(key));
		buf_add(out, "\":", 2);
		model_write(value, out);
		before = ",\"";
	}
	buf_str(out, *before == ',' ? "}" : "{}");
}

void
model_write(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(out, value);
		break;
	case JSON_ARRAY:
		write_array(out, value);
		break;
	case JSON_STRING:
		write_text(
		    out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_int(out, json_integer_value(value));
		break;
	case JSON_REAL:
		buf_printf(out, "%.17g", json_real_value(value));
		break;
	case JSON_TRUE:
		buf_str(out, "true");
		break;
	case JSON_FALSE:
		buf_str(out, "false");
		break;
	case JSON_NULL:
		buf_str(out, "null");
		break;
	}
}
