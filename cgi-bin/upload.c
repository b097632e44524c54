/* GET and POST /admin/books/<id>/cover -- the cover of a book; also POST
 * /api/upload, a picture with or without a book that is to show it. */
#include "cover.h"
#include "route.h"
#include "secret.h"
#include "shrink.h"

#define FORM_EXTRA 65536 /* bytes of the body beside the file */

static const struct field fields[] = { { "id", FIELD_INT, FIELD_PATH, 1,
					   INT64_MAX, N_("Book") },
	{ "book_id", FIELD_INT, FIELD_BODY, 1, INT64_MAX, N_("Book") },
	{ "version", FIELD_INT, FIELD_BODY, 1, UINT32_MAX, N_("Version") },
	{ "file", FIELD_FILE, FIELD_BODY, 0, 0, N_("Picture") },
	{ "act", FIELD_TEXT, FIELD_BODY | FIELD_PAGE, 0, 20, N_("Action") },
	{ "picture", FIELD_TEXT, FIELD_BODY | FIELD_PAGE, 0, COVER_HASH_LENGTH,
	    N_("Picture") },
	{ 0 } };

/* --- the page --- */

static const char *
book_url(struct req *req, int64_t id)
{
	return arena_printf(req->arena, "/admin/books/%lld", (long long)id);
}

static json_t *
picture_model(struct req *req, const char *hash)
{
	return !hash ?
	    json_null() :
	    json_pack("{s:s, s:s, s:s}", "hash", hash, "url",
		cover_url(req, hash), "small_url", cover_small_url(req, hash));
}

/* book as it is now; mine (may be NULL) is a picture that came too late. */
static int
show_book(struct req *req, const json_t *book, const char *mine)
{
	int64_t id = model_int(book, "id");
	const char *title = model_text(book, "title");
	json_t *model = json_pack("{s:I, s:s, s:O, s:O, s:O, s:o, s:o, s:s}",
	    "id", (json_int_t)id, "title", title, "author",
	    json_object_get(book, "author"), "language",
	    json_object_get(book, "language"), "version",
	    json_object_get(book, "version"), "cover",
	    picture_model(req, model_text(book, "cover")), "mine",
	    picture_model(req, mine), "action",
	    arena_printf(req->arena, "%s/cover", book_url(req, id)));

	model_set_text(model, "book_url", book_url(req, id));
	page_crumb(model, _("Home"), "/");
	page_crumb(model, _("Manage"), "/admin");
	page_crumb(model, _("Books"), "/admin/books");
	page_crumb(model, title, book_url(req, id));
	page_crumb(model, _("Cover"), NULL);
	return page_send(req, "upload", model);
}

static int
show(struct req *req)
{
	json_t *book;
	int rc = cover_of_book(req, form_int(req, "id"), &book);

	return rc < 0 ? rc : show_book(req, book, NULL);
}

/* --- the picture --- */

/* A page says beside the field what is wrong, an API client needs the code. */
static int
refuse(struct req *req, int rc)
{
	const char *why = req->fail_text;

	if (req->api || !why || rc == RC_DOWN || rc == RC_BUG)
		return rc;
	req_forgive(req);
	req_field_error(req, "file", why);
	return rc;
}

static int
keep_file(struct req *req, const struct form_file *file, struct shrunk *picture,
    const char **hash)
{
	int rc;

	if (file->len > COVER_FILE_MAX)
		return refuse(req,
		    req_fail(req, RC_TOO_LARGE,
			_("The file is larger than %d MB. Save the picture"
			  " with fewer pixels or in JPEG."),
			COVER_FILE_MAX / 1048576));
	rc = shrink(req, file->data, file->len, picture);
	if (rc < 0)
		return refuse(req, rc);
	return cover_keep(req, picture, hash);
}

static int
need_file(struct req *req, const struct form_file **file)
{
	*file = form_file(req, "file");
	if (*file)
		return RC_OK;
	return req_field_error(req, "file", _("Choose a picture."));
}

/* --- POST of the form --- */

static int
done(struct req *req, const json_t *book)
{
	return page_redirect_flash(req,
	    arena_printf(
		req->arena, "%s/cover", book_url(req, model_int(book, "id"))),
	    "done",
	    model_text(book, "cover") ?
		_("The book has this cover now.") :
		_("The book has no picture any more. Its cover is drawn."));
}

static int
set(struct req *req, const char *hash)
{
	json_t *book;
	int rc = cover_set(
	    req, form_int(req, "id"), form_int(req, "version"), hash, &book);

	if (rc == RC_CONFLICT) {
		req->status = 409;
		return show_book(req, book, hash ? hash : NULL);
	}
	return rc < 0 ? refuse(req, rc) : done(req, book);
}

/* The book is asked for first: decoding costs more. */
static int
take(struct req *req)
{
	const struct form_file *file;
	struct shrunk picture;
	const char *hash;
	json_t *book;
	int rc;

	if ((rc = cover_of_book(req, form_int(req, "id"), &book)) < 0 ||
	    (rc = need_file(req, &file)) < 0 ||
	    (rc = keep_file(req, file, &picture, &hash)) < 0)
		return rc;
	return set(req, hash);
}

static int
change(struct req *req)
{
	const char *act = form_str(req, "act");
	const char *picture = form_str(req, "picture");

	if (act && strcmp(act, "remove") == 0)
		return set(req, NULL);
	if (act && strcmp(act, "use") == 0 && picture && cover_is_hash(picture))
		return set(req, picture);
	return act && *act && strcmp(act, "upload") != 0 ? RC_BAD_INPUT :
							   take(req);
}

/* --- POST of the API --- */

static int
answer(struct req *req, const struct shrunk *p, const char *hash,
    const json_t *book)
{
	json_t *model =
	    json_pack("{s:s, s:s, s:i, s:i, s:I}", "url", cover_url(req, hash),
		"thumbnail_url", cover_small_url(req, hash), "width", p->width,
		"height", p->height, "bytes", (json_int_t)p->large_len);

	json_object_set_new(model, "book_id",
	    book ? json_incref(json_object_get(book, "id")) : json_null());
	json_object_set_new(model, "version",
	    book ? json_incref(json_object_get(book, "version")) : json_null());
	http_header(req, "Location", cover_url(req, hash));
	return page_send_json(req, 201, model);
}

static int
stale(struct req *req)
{
	return req_fail(req, RC_CONFLICT, "%s",
	    _("Somebody has edited this book in the meantime. Nothing was"
	      " changed."));
}

static int
call(struct req *req)
{
	int64_t id = form_int(req, "book_id");
	const struct form_file *file;
	struct shrunk picture;
	json_t *book = NULL;
	const char *hash;
	int rc;

	if ((rc = need_file(req, &file)) < 0 ||
	    (id && (rc = cover_of_book(req, id, &book)) < 0) ||
	    (rc = keep_file(req, file, &picture, &hash)) < 0)
		return rc;
	if (id)
		rc = cover_set(req, id, form_int(req, "version"), hash, &book);
	if (rc == RC_CONFLICT)
		return stale(req);
	return rc < 0 ? rc : answer(req, &picture, hash, book);
}

static int
post(struct req *req)
{
	return req->api ? call(req) : change(req);
}

static const struct route upload = {
	.name = "upload",
	.get = show,
	.post = post,
	.invalid = show,
	.fields = fields,
	.needs = NEED_LIBRARIAN | NEED_FORM | GET_IS_PAGE,
	.body_max = COVER_FILE_MAX + FORM_EXTRA,
	.nice = 5,
};

int
main(void)
{
	return route_run(&upload);
}
