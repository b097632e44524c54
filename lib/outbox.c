/* outbox -- see outbox.h. */
#include "outbox.h"

#include "buf.h"
#include "db.h"
#include "model.h"

#define PAYLOAD_MAX ((size_t)256 * 1024)
#define SPAN_LENGTH 16

static const struct db_stmt OUTBOX_ADD = { "outbox.add",
	"INSERT INTO outbox (topic, subject, payload, trace, span, sampled)"
	" VALUES (?, ?, ?, ?, ?, ?)" };

static void
free_buf(void *b)
{
	buf_free(b);
}

int
outbox_add(
    struct req *req, const char *topic, const char *subject, const json_t *data)
{
	struct buf *payload = arena_alloc(req->arena, sizeof(*payload));

	*payload = (struct buf)BUF_INIT(PAYLOAD_MAX);
	arena_defer(req->arena, free_buf, payload);
	model_write(data, payload);
	if (payload->over)
		return req_bug(req);
	return db_exec(req, &OUTBOX_ADD,
	    DB_ARGS(db_text(topic), db_text(subject), db_text(payload->data),
		db_text(req->trace),
		db_text(arena_strndup(req->arena, req->span, SPAN_LENGTH)),
		db_int(req->sampled)),
	    NULL, NULL);
}
