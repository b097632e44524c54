/*
 * seoga s3 -- puts one file into the bucket, gets it from there, or removes
 * it; lib/s3.h says how it is asked and answers.
 *
 * libcurl signs the requests (AWS Signature Version 4).  All three may be
 * repeated, so what failed over there is tried once more while there is time.
 */
#include "s3.h"
#include "backoff.h"
#include "conf.h"
#include "log.h"
#include "secret.h"
#include "store.h"

#include <curl/curl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 2
#define WAIT_US 200000
#define URL_MAX 1024
#define EMPTY_SHA256 \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct transfer {
	const struct conf *conf;
	const char *act, *name, *traceparent;
	const char *in; /* what is put */
	size_t in_len, in_sent;
	struct buf out; /* what was got, or what the bucket says */
	CURL *curl;
	struct curl_slist *headers;
	char wrong[CURL_ERROR_SIZE];
	int64_t until;
};

static bool
is(const struct transfer *t, const char *act)
{
	return strcmp(t->act, act) == 0;
}

/* --- the body on its way --- */

static size_t
send_some(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (len > t->in_len - t->in_sent)
		len = t->in_len - t->in_sent;
	if (len)
		memcpy(data, t->in + t->in_sent, len);
	t->in_sent += len;
	return len;
}

static int
send_again(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	t->in_sent = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t
take_some(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	buf_add(&t->out, data, size * n);
	return t->out.over ? 0 : size * n;
}

/* --- the request --- */

static void
add_header(struct transfer *t, const char *line)
{
	t->headers = curl_slist_append(t->headers, line);
}

/* Those that begin with x-amz are signed, and S3 wants this one. */
static void
add_headers(struct transfer *t)
{
	char digest[SECRET_SHA256_SIZE] = EMPTY_SHA256;
	char line[sizeof("x-amz-content-sha256: ") + sizeof(digest)];
	char trace[80];

	if (is(t, "put"))
		secret_sha256(t->in, t->in_len, digest);
	snprintf(line, sizeof(line), "x-amz-content-sha256: %s", digest);
	add_header(t, line);
	if (t->traceparent) {
		snprintf(
		    trace, sizeof(trace), "traceparent: %s", t->traceparent);
		add_header(t, trace);
	}
	if (!is(t, "put"))
		return;
	add_header(t, "Content-Type: image/jpeg");
	add_header(t, "Cache-Control: public, max-age=31536000, immutable");
}

static void
set_method(struct transfer *t)
{
	if (is(t, "remove"))
		curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	if (!is(t, "put"))
		return;
	curl_easy_setopt(t->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(
	    t->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->in_len);
	curl_easy_setopt(t->curl, CURLOPT_READFUNCTION, send_some);
	curl_easy_setopt(t->curl, CURLOPT_READDATA, t);
	/* A header "Expect:" would do without the question, but be signed and
	 * not sent. */
	curl_easy_setopt(t->curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 200L);
	curl_easy_setopt(t->curl, CURLOPT_SEEKFUNCTION, send_again);
	curl_easy_setopt(t->curl, CURLOPT_SEEKDATA, t);
}

static void
sign(struct transfer *t)
{
	char what[80];

	if (!*t->conf->s3_key_id)
		return;
	snprintf(what, sizeof(what), "aws:amz:%.40s:s3", t->conf->s3_region);
	curl_easy_setopt(t->curl, CURLOPT_AWS_SIGV4, what);
	curl_easy_setopt(t->curl, CURLOPT_USERNAME, t->conf->s3_key_id);
	curl_easy_setopt(t->curl, CURLOPT_PASSWORD, t->conf->s3_secret);
}

static void
set_request(struct transfer *t)
{
	char url[URL_MAX];
	size_t len = strlen(t->conf->s3_url);
	bool slash = len && t->conf->s3_url[len - 1] == '/';

	snprintf(url, sizeof(url), "%s%s%s", t->conf->s3_url, slash ? "" : "/",
	    t->name);
	curl_easy_setopt(t->curl, CURLOPT_URL, url);
	curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->wrong);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_some);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(
	    t->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)t->conf->connect_ms);
	set_method(t);
	sign(t);
	add_headers(t);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
}

/* --- what came of it --- */

static int
meaning_of(const struct transfer *t, CURLcode code)
{
	long status = 0;

	if (code == CURLE_OUT_OF_MEMORY || code == CURLE_URL_MALFORMAT ||
	    code == CURLE_UNSUPPORTED_PROTOCOL)
		return S3_REFUSED;
	if (code != CURLE_OK)
		return S3_DOWN;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return EXIT_SUCCESS;
	if (status == 404 && !is(t, "put"))
		return S3_NOT_FOUND;
	return status >= 500 || status == 429 || status == 408 ? S3_DOWN :
								 S3_REFUSED;
}

static int
try_once(struct transfer *t)
{
	int64_t left = (t->until - log_now()) / 1000;

	if (left <= 0)
		return S3_DOWN;
	buf_reset(&t->out);
	t->in_sent = 0;
	curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)left);
	return meaning_of(t, curl_easy_perform(t->curl));
}

static int
run(struct transfer *t)
{
	int meaning = S3_DOWN;

	for (int tries = 0; tries < TRIES; tries++) {
		if (tries)
			backoff_wait(WAIT_US, tries - 1);
		meaning = try_once(t);
		if (meaning != S3_DOWN)
			break;
	}
	return meaning;
}

/* For the log: libcurl's words, or the status and the bucket's code. */
static void
tell(const struct transfer *t)
{
	const char *code = t->out.len ? strstr(t->out.data, "<Code>") : NULL;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (*t->wrong)
		printf("%s %s: %s\n", t->act, t->name, t->wrong);
	else
		printf("%s %s: status %ld %.*s\n", t->act, t->name, status,
		    code ? (int)strcspn(code + 6, "<") : 0,
		    code ? code + 6 : "");
}

static void
read_input(struct transfer *t)
{
	struct stat st;
	void *data;

	if (!is(t, "put") || fstat(STDIN_FILENO, &st) < 0 || !st.st_size)
		return;
	data = mmap(
	    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
	if (data == MAP_FAILED)
		return;
	t->in = data;
	t->in_len = (size_t)st.st_size;
}

static int
carry_out(struct transfer *t)
{
	int meaning;

	t->curl = curl_easy_init();
	if (!t->curl)
		return S3_DOWN;
	t->until = log_now() + t->conf->s3_ms * INT64_C(1000);
	read_input(t);
	set_request(t);
	meaning = run(t);
	if (meaning != EXIT_SUCCESS)
		tell(t);
	else if (is(t, "get"))
		fwrite(t->out.data, 1, t->out.len, stdout);
	curl_slist_free_all(t->headers);
	curl_easy_cleanup(t->curl);
	buf_free(&t->out);
	return meaning;
}

static bool
is_act(const char *word)
{
	return strcmp(word, "put") == 0 || strcmp(word, "get") == 0 ||
	    strcmp(word, "remove") == 0;
}

static const char usage[] =
    "usage: seoga s3 put NAME [TRACEPARENT] <FILE\n"
    "       seoga s3 get NAME [TRACEPARENT] >FILE\n"
    "       seoga s3 remove NAME [TRACEPARENT]\n"
    "Of the bucket in SEOGA_S3_URL: doc/configuration.md.\n";

int
main(int argc, char **argv)
{
	struct transfer t = { .out = BUF_INIT(STORE_FILE_MAX) };
	static struct conf conf; /* what it points to lives on, too */
	char error[256];

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc < 3 || argc > 4 || !is_act(argv[1])) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	if (conf_load(&conf, error, sizeof(error)) < 0) {
		fprintf(stderr, "seoga s3: %s\n", error);
		return EXIT_FAILURE;
	}
	if (!conf.s3_url) {
		fputs("seoga s3: SEOGA_S3_URL is not set\n", stderr);
		return EXIT_FAILURE;
	}
	if (secret_init() < 0 ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return S3_DOWN;
	t.conf = &conf;
	t.act = argv[1];
	t.name = argv[2];
	t.traceparent = argc > 3 ? argv[3] : NULL;
	return carry_out(&t);
}
