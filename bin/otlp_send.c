/* otlp_send -- asks a collector to take spans, over HTTP: see otlp.h. */
#include "log.h"
#include "otlp.h"

#include <ctype.h>
#include <curl/curl.h>
#include <zlib.h>

#define URL_MAX 2048
#define ANSWER_MAX (64 * 1024)
#define WAIT_MAX_S 600 /* no collector may ask for longer */

static struct {
	const struct conf *conf;
	CURL *curl;
	struct curl_slist *headers;
	char wrong[CURL_ERROR_SIZE];
	struct buf said, packed;
} the = { .said = BUF_INIT(ANSWER_MAX), .packed = BUF_INIT(1 << 23) };

/* --- as it is set up --- */

static void
add_header(const char *line)
{
	struct curl_slist *longer = curl_slist_append(the.headers, line);

	if (longer)
		the.headers = longer;
}

/* "name=value,name=value", values percent-encoded, as OpenTelemetry has it. */
static bool
add_own_headers(const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ","), name = strcspn(list, "=,");
		char line[URL_MAX];
		char *value;
		int n = 0;

		if (len >= sizeof(line) || name == 0 || name >= len)
			return false;
		value = curl_easy_unescape(
		    the.curl, list + name + 1, (int)(len - name - 1), &n);
		if (!value || (size_t)n != strlen(value) ||
		    strpbrk(value, "\r\n")) {
			curl_free(value);
			return false;
		}
		snprintf(
		    line, sizeof(line), "%.*s: %s", (int)name, list, value);
		curl_free(value);
		add_header(line);
		list += len + (list[len] == ',');
	}
	return true;
}

static size_t
take_some(char *data, size_t size, size_t n, void *arg)
{
	(void)arg;
	buf_add(&the.said, data, size * n);
	/* What is too long to be an answer is not read. */
	return size * n;
}

static void
set_request(void)
{
	const char *endpoint = the.conf->otlp_endpoint;
	size_t len = strlen(endpoint);
	char url[URL_MAX];

	snprintf(url, sizeof(url), "%s%sv1/traces", endpoint,
	    len && endpoint[len - 1] == '/' ? "" : "/");
	curl_easy_setopt(the.curl, CURLOPT_URL, url);
	curl_easy_setopt(the.curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(the.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(the.curl, CURLOPT_ERRORBUFFER, the.wrong);
	curl_easy_setopt(the.curl, CURLOPT_WRITEFUNCTION, take_some);
	curl_easy_setopt(the.curl, CURLOPT_USERAGENT, "seoga/" PACKAGE_VERSION);
	curl_easy_setopt(
	    the.curl, CURLOPT_CONNECTTIMEOUT_MS, (long)the.conf->connect_ms);
	curl_easy_setopt(the.curl, CURLOPT_TIMEOUT_MS, (long)the.conf->otlp_ms);
	curl_easy_setopt(the.curl, CURLOPT_HTTPHEADER, the.headers);
}

bool
otlp_open(const struct conf *conf)
{
	the.conf = conf;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !(the.curl = curl_easy_init())) {
		fputs("seoga otlp: there is no libcurl\n", stderr);
		return false;
	}
	add_header("Content-Type: application/json");
	add_header("Expect:");
	if (conf->otlp_gzip)
		add_header("Content-Encoding: gzip");
	if (!add_own_headers(conf->otlp_headers)) {
		fputs("seoga otlp: SEOGA_OTLP_HEADERS is not like"
		      " name=value,name=value\n",
		    stderr);
		return false;
	}
	set_request();
	return true;
}

/* --- one request --- */

static bool
pack(const char *body, size_t len)
{
	z_stream z = { 0 };
	static unsigned char part[1 << 16];
	int rc;

	buf_reset(&the.packed);
	/* 31: a window of 32 KiB, and a header of gzip. */
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 31, 8,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	z.next_in = (z_const Bytef *)(uintptr_t)body;
	z.avail_in = (uInt)len;
	do {
		z.next_out = part;
		z.avail_out = sizeof(part);
		rc = deflate(&z, Z_FINISH);
		buf_add(&the.packed, part, sizeof(part) - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
	return rc == Z_STREAM_END && !the.packed.over;
}

/* One line, of what may stand in a log. */
static void
set_why(struct otlp_answer *answer, const char *text)
{
	snprintf(answer->why, sizeof(answer->why), "%.*s",
	    (int)strcspn(text, "\r\n"), text);
}

/* Spans that it does not want, though it says 200: a number, as a text. */
static void
read_partial(struct otlp_answer *answer)
{
	json_t *json = json_loadb(
	    the.said.len ? the.said.data : "", the.said.len, 0, NULL);
	const json_t *partial = json_object_get(json, "partialSuccess");
	const json_t *rejected = json_object_get(partial, "rejectedSpans");
	const char *said =
	    json_string_value(json_object_get(partial, "errorMessage"));

	answer->rejected = json_is_string(rejected) ?
	    strtoll(json_string_value(rejected), NULL, 10) :
	    json_integer_value(rejected);
	if (answer->rejected < 0)
		answer->rejected = 0;
	if (said)
		set_why(answer, said);
	json_decref(json);
}

static void
read_failure(struct otlp_answer *answer)
{
	curl_off_t seconds = 0;
	char text[64];

	snprintf(text, sizeof(text), "status %d", answer->status);
	set_why(answer, text);
	/* The four that OTLP/HTTP allows to be tried again. */
	answer->outcome = answer->status == 429 || answer->status == 502 ||
		answer->status == 503 || answer->status == 504 ?
	    OTLP_LATER :
	    OTLP_REFUSED;
	curl_easy_getinfo(the.curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > WAIT_MAX_S)
		seconds = WAIT_MAX_S;
	answer->wait_us = (int64_t)seconds * 1000000;
}

static void
read_answer(CURLcode code, struct otlp_answer *answer)
{
	long status = 0;

	if (code != CURLE_OK) {
		answer->outcome = OTLP_LATER;
		set_why(
		    answer, *the.wrong ? the.wrong : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(the.curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	if (status >= 200 && status < 300)
		read_partial(answer);
	else
		read_failure(answer);
}

void
otlp_send(const char *body, size_t len, struct otlp_answer *answer)
{
	*answer = (struct otlp_answer){ .outcome = OTLP_TAKEN };
	if (the.conf->otlp_gzip) {
		if (!pack(body, len)) {
			answer->outcome = OTLP_REFUSED;
			set_why(answer, "it cannot be packed");
			return;
		}
		body = the.packed.data;
		len = the.packed.len;
	}
	buf_reset(&the.said);
	the.wrong[0] = '\0';
	curl_easy_setopt(the.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(
	    the.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	read_answer(curl_easy_perform(the.curl), answer);
}
