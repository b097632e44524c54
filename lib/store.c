/* store -- see store.h. */
#include "store.h"

#include "child.h"
#include "log.h"
#include "s3.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPAN_LENGTH 16
#define S3_SPARE_MS 1000 /* until seoga-s3 must have noticed the time itself */

static bool
has_bucket(const struct req *req)
{
	return req->conf->s3_url != NULL;
}

/* --- the folder --- */

static bool
name_is_ours(const char *name)
{
	size_t len = strlen(name);

	return len > 2 && len <= STORE_NAME_MAX && name[0] != '.' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static const char *
folder_of(struct req *req, const char *name)
{
	return arena_printf(req->arena, "%s/%.2s", req->conf->cover_dir, name);
}

static const char *
path_of(struct req *req, const char *name)
{
	return arena_printf(req->arena, "%s/%s", folder_of(req, name), name);
}

static int
file_failed(struct req *req, const char *what, const char *path)
{
	log_msg(LOG_ERROR, "store.file", "cannot %s %s: %s", what, path,
	    strerror(errno));
	return req_bug(req);
}

static int
make_folder(struct req *req, const char *folder)
{
	if (mkdir(folder, 0770) == 0 || errno == EEXIST)
		return RC_OK;
	if (errno != ENOENT ||
	    (mkdir(req->conf->cover_dir, 0770) < 0 && errno != EEXIST))
		return file_failed(req, "make", folder);
	if (mkdir(folder, 0770) < 0 && errno != EEXIST)
		return file_failed(req, "make", folder);
	return RC_OK;
}

static bool
write_file(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0;
}

/* Written beside and renamed: nobody ever sees a part of it. */
static int
file_put(struct req *req, const char *name, const void *data, size_t len)
{
	const char *folder = folder_of(req, name), *path = path_of(req, name);
	char *beside = arena_printf(req->arena, "%s/.%s.XXXXXX", folder, name);
	int rc = make_folder(req, folder), fd;
	bool written;

	if (rc < 0)
		return rc;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return file_failed(req, "make", beside);
	written = fchmod(fd, 0640) == 0 && write_file(fd, data, len);
	if (close(fd) == 0 && written && rename(beside, path) == 0)
		return RC_OK;
	rc = file_failed(req, "write", path);
	unlink(beside);
	return rc;
}

static int
read_file(int fd, struct buf *out)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	return n < 0 || out->over ? RC_BUG : RC_OK;
}

static int
file_get(struct req *req, const char *name, struct buf *out)
{
	const char *path = path_of(req, name);
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? RC_NOT_FOUND :
					 file_failed(req, "open", path);
	rc = read_file(fd, out);
	close(fd);
	return rc < 0 ? file_failed(req, "read", path) : RC_OK;
}

static int
file_remove(struct req *req, const char *name)
{
	const char *path = path_of(req, name);

	if (unlink(path) == 0 || errno == ENOENT)
		return RC_OK;
	return file_failed(req, "remove", path);
}

/* --- the bucket --- */

static int
bucket_failed(struct req *req, int status, const struct buf *said)
{
	log_event(status == S3_DOWN ? LOG_WARN : LOG_ERROR, "s3.failed");
	log_int("status", status);
	log_strn("why", said->len ? said->data : "",
	    said->len ? strcspn(said->data, "\n") : 0);
	log_end();
	return req_fail(req, RC_DOWN, "%s",
	    _("The place where pictures are kept does not answer. Nothing was"
	      " changed; please try again in a moment."));
}

/* The host in "https://host:port/bucket", without a user's name. */
static const char *
bucket_host(struct req *req)
{
	const char *host = strstr(req->conf->s3_url, "//"), *at;

	host = host ? host + 2 : req->conf->s3_url;
	at = memchr(host, '@', strcspn(host, "/"));
	host = at ? at + 1 : host;
	return arena_strndup(req->arena, host, strcspn(host, ":/"));
}

static const char *
new_span(struct req *req)
{
	char token[SECRET_TOKEN_SIZE];

	secret_token(token);
	return arena_strndup(req->arena, token, SPAN_LENGTH);
}

static int
bucket(struct req *req, const char *act, const char *name, const void *in,
    size_t in_len, struct buf *out)
{
	const char *span = new_span(req);
	/* A command of a person is in no trace. */
	const char *traceparent = req->trace ?
	    arena_printf(
		req->arena, "00-%s-%s-0%d", req->trace, span, req->sampled) :
	    NULL;
	const char *const argv[] = { "seoga-s3", act, name, traceparent, NULL };
	const struct child child = { .path = arena_printf(req->arena,
					 "%s/seoga-s3", req->conf->command_dir),
		.argv = argv,
		.in = in,
		.in_len = in_len,
		.ms = req->conf->s3_ms + S3_SPARE_MS,
		.host = bucket_host(req),
		.span = span };
	int status = S3_DOWN;
	int rc = child_run(req, &child, out, &status);

	if (rc == RC_BUG || (rc == RC_OK && status == 0))
		return rc;
	if (rc == RC_OK && status == S3_NOT_FOUND)
		return RC_NOT_FOUND;
	return bucket_failed(req, status, out);
}

/* For acts that answer nothing. */
static int
bucket_act(struct req *req, const char *act, const char *name, const void *in,
    size_t in_len)
{
	struct buf said = BUF_INIT(4096);
	int rc = bucket(req, act, name, in, in_len, &said);

	buf_free(&said);
	return rc;
}

static int
bucket_get(struct req *req, const char *name, struct buf *out)
{
	int rc = bucket(req, "get", name, "", 0, out);

	/* Without its copy it will be asked for again: no more than that. */
	if (rc == RC_OK && file_put(req, name, out->data, out->len) < 0)
		req_forgive(req);
	return rc;
}

/* --- either --- */

static int
check_name(struct req *req, const char *name)
{
	return name_is_ours(name) ? RC_OK : req_bug(req);
}

int
store_put(struct req *req, const char *name, const void *data, size_t len)
{
	int rc = check_name(req, name);

	if (rc == RC_OK && has_bucket(req))
		rc = bucket_act(req, "put", name, data, len);
	return rc < 0 ? rc : file_put(req, name, data, len);
}

int
store_get(struct req *req, const char *name, struct buf *out)
{
	int rc = check_name(req, name);

	if (rc == RC_OK)
		rc = file_get(req, name, out);
	if (rc == RC_NOT_FOUND && has_bucket(req))
		rc = bucket_get(req, name, out);
	return rc;
}

int
store_remove(struct req *req, const char *name)
{
	int rc = check_name(req, name);

	if (rc == RC_OK && has_bucket(req))
		rc = bucket_act(req, "remove", name, "", 0);
	if (rc == RC_NOT_FOUND)
		rc = RC_OK;
	return rc < 0 ? rc : file_remove(req, name);
}
