/* shrink -- see shrink.h. */
#include "shrink.h"

#include "child.h"
#include "log.h"

#define ANSWER_MAX ((size_t)6 * 1024 * 1024)
#define TIME_MS 12000
#define HEAD_MAX 80

static int
refuse(struct req *req, enum picture_verdict verdict)
{
	switch (verdict) {
	case PICTURE_UNKNOWN:
		return req_fail(req, RC_MEDIA, "%s",
		    _("The file is no picture in JPEG, PNG or WebP, whatever"
		      " its name says. Choose one that is."));
	case PICTURE_FOLLOWED:
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The file holds more than a picture. Open it in a"
		      " picture editor, save it as a new file and choose"
		      " that."));
	case PICTURE_HUGE:
		return req_fail(req, RC_BAD_INPUT,
		    _("The picture has too many pixels: at most %d million,"
		      " and %d to a side."),
		    PICTURE_PIXELS_MAX / 1000000, PICTURE_SIDE_MAX);
	case PICTURE_TINY:
		return req_fail(req, RC_BAD_INPUT,
		    _("The picture is too small: at least %d pixels to a"
		      " side."),
		    PICTURE_SIDE_MIN);
	default:
		return req_fail(req, RC_BAD_INPUT, "%s",
		    _("The picture cannot be read: it is damaged or cut short."
		      " Choose another file."));
	}
}

/* "<width> <height> <bytes> <bytes>\n" and so many bytes: what the program
 * says is not believed either. */
static bool
read_answer(struct req *req, const struct buf *out, struct shrunk *s)
{
	char head[HEAD_MAX];
	const char *line_end =
	    out->len ? memchr(out->data, '\n', out->len) : NULL;
	size_t head_len = line_end ? (size_t)(line_end - out->data) : 0;
	const char *bytes;

	if (head_len == 0 || head_len >= sizeof(head))
		return false;
	memcpy(head, out->data, head_len);
	head[head_len] = '\0';
	if (sscanf(head, "%5d %5d %9zu %9zu", &s->width, &s->height,
		&s->large_len, &s->small_len) != 4 ||
	    s->large_len == 0 || s->small_len == 0 ||
	    head_len + 1 + s->large_len + s->small_len != out->len)
		return false;
	bytes = arena_strndup(
	    req->arena, line_end + 1, s->large_len + s->small_len);
	s->large = bytes;
	s->small = bytes + s->large_len;
	return true;
}

/* What the program says of a picture that it cannot read, is for the log. */
static void
log_refusal(int status, const struct buf *out)
{
	log_event(LOG_WARN, "picture.refused");
	log_int("status", status);
	log_strn("why", out->len ? out->data : "",
	    status == SHRINK_BAD_PICTURE && out->len ? out->len - 1 : 0);
	log_end();
}

static int
read_result(
    struct req *req, int status, const struct buf *out, struct shrunk *shrunk)
{
	if (status == 0)
		return read_answer(req, out, shrunk) ? RC_OK : req_bug(req);
	log_refusal(status, out);
	return refuse(req, PICTURE_BROKEN);
}

static int
run(struct req *req, const void *data, size_t len, struct shrunk *shrunk)
{
	/* Its environment is empty: no secret of ours is in it. */
	static const char *const argv[] = { "seoga-shrink", NULL },
				 *const env[] = { "MALLOC_ARENA_MAX=1", NULL };
	const struct child child = { .path = arena_printf(req->arena,
					 "%s/seoga-shrink",
					 req->conf->command_dir),
		.argv = argv,
		.env = env,
		.in = data,
		.in_len = len,
		.ms = TIME_MS };
	struct buf out = BUF_INIT(ANSWER_MAX);
	int status;
	int rc = child_run(req, &child, &out, &status);

	if (rc == RC_OK)
		rc = read_result(req, status, &out, shrunk);
	else if (rc == RC_DOWN)
		rc = req_fail(req, rc, "%s",
		    _("The picture took too long. Nothing was changed; try a"
		      " smaller one."));
	buf_free(&out);
	return rc;
}

int
shrink(struct req *req, const void *data, size_t len, struct shrunk *shrunk)
{
	struct picture picture;
	enum picture_verdict verdict = picture_look(data, len, &picture);
	struct shrunk s = { 0 };
	int rc;

	if (verdict != PICTURE_OK)
		return refuse(req, verdict);
	rc = run(req, data, len, &s);
	if (rc == RC_OK)
		*shrunk = s;
	return rc;
}
