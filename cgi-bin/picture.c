/* GET /_covers/<name>.jpg -- an uploaded cover that is not on this host yet:
 * nginx asks for it when the folder has none. */
#include "cover.h"
#include "route.h"
#include "store.h"

static const struct field fields[] = { { "id", FIELD_TEXT,
					   FIELD_PATH | FIELD_REQUIRED, 1,
					   STORE_NAME_MAX, N_("Picture") },
	{ 0 } };

/* Only what is kept: a bucket is not asked for whatever comes to mind. */
static int
is_kept(struct req *req, const char *name)
{
	const char *hash =
	    arena_strndup(req->arena, name, strnlen(name, COVER_HASH_LENGTH));
	const char *rest = name + strlen(hash);
	json_t *cover;

	if (!req->conf->s3_url || !cover_is_hash(hash) ||
	    (*rest && strcmp(rest, "-small") != 0))
		return RC_NOT_FOUND;
	return cover_find(req, hash, &cover);
}

static int
show(struct req *req)
{
	const char *name = form_str(req, "id");
	int rc = is_kept(req, name);

	if (rc < 0)
		return rc;
	buf_reset(req->out);
	rc = store_get(req, arena_printf(req->arena, "%s.jpg", name), req->out);
	if (rc < 0)
		return rc;
	http_header(
	    req, "Cache-Control", "public, max-age=31536000, immutable");
	page_send_body(req, 200, "image/jpeg", req->out);
	return RC_OK;
}

static const struct route picture = {
	.name = "picture",
	.get = show,
	.fields = fields,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&picture);
}
