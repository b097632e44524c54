/*
 * fcgi -- see fcgi.h.
 *
 * libfcgi's own loop serves one kept connection at a time and starves the
 * rest.  Here a worker holds one FCGX_Request for each open connection,
 * polls the listener and all of them together, and gives whichever is
 * readable to FCGX_Accept_r(), which reads the next request from it.
 */
#include "fcgi.h"

#include "log.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LISTENER 0
#define CONN_MAX 256			/* kept connections of one worker */
#define READ_S 10			/* for nginx to deliver a request */
#define SEND_S 60			/* for nginx to take the reply */
#define BODY_KEEP ((size_t)1024 * 1024) /* a larger body buffer is freed */

struct fcgi_call {
	FCGX_Request *request;
	unsigned char *body;
	size_t body_len, body_size;
	int body_rc;
	bool replied;
	bool ended; /* the record that ends it is sent as well */
};

static volatile sig_atomic_t terminated, reopen_wanted, in_handler;

static void
on_term(int sig ATTR_UNUSED)
{
	terminated = 1;
}

static void
on_usr1(int sig ATTR_UNUSED)
{
	reopen_wanted = 1;
}

/*
 * While bytes are on their way, the interrupted system call fails and libfcgi
 * drops the connection.  A handler that hangs in spite of every deadline
 * cannot be saved: the worker ends and its supervisor starts another.
 */
static void
on_alarm(int sig ATTR_UNUSED)
{
	static const char line[] =
	    "{\"lvl\":\"error\",\"ev\":\"fcgi.stuck\"}\n";

	if (!in_handler)
		return;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

/* Repeats each second, lest it fire just before a call blocks. */
static void
guard(int seconds)
{
	const struct itimerval t = { .it_value.tv_sec = seconds,
		.it_interval.tv_sec = seconds ? 1 : 0 };

	setitimer(ITIMER_REAL, &t, NULL);
}

/* TERM and USR1 stay blocked but in ppoll(), which gets the old mask. */
static void
set_signals(sigset_t *during_poll)
{
	struct sigaction act = { .sa_handler = on_term };
	sigset_t blocked;

	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
	act.sa_handler = on_usr1;
	sigaction(SIGUSR1, &act, NULL);
	act.sa_handler = on_alarm;
	sigaction(SIGALRM, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, during_poll);
	sigdelset(during_poll, SIGTERM);
	sigdelset(during_poll, SIGUSR1);
}

/* RFC 3875: digits only; "" or absent means that there is no body. */
static int
content_length(const char *text, size_t *len)
{
	size_t n = 0;

	for (; text && *text; text++) {
		if (*text < '0' || *text > '9' || n > (size_t)INT_MAX / 10 - 9)
			return RC_BAD_INPUT;
		n = n * 10 + (size_t)(*text - '0');
	}
	*len = n;
	return RC_OK;
}

static bool
make_room(struct fcgi_call *call, size_t len)
{
	unsigned char *body;

	if (len <= call->body_size)
		return true;
	body = realloc(call->body, len);
	if (!body)
		return false;
	call->body = body;
	call->body_size = len;
	return true;
}

/*
 * The length must be right, and the end of the body is read, too: on a kept
 * connection what is left over would be taken for the next request.
 */
static int
read_stdin(FCGX_Stream *in, char *bytes, size_t len)
{
	bool whole = FCGX_GetStr(bytes, (int)len, in) == (int)len &&
	    FCGX_GetChar(in) == EOF;

	if (FCGX_GetError(in))
		return RC_BUG;
	return whole ? RC_OK : RC_BAD_INPUT;
}

static int
read_body(struct fcgi_call *call, size_t max)
{
	size_t len;
	int rc;

	call->body_len = 0;
	/* libfcgi takes parameters that broke off for all of them. */
	if (FCGX_GetError(call->request->in))
		return RC_BUG;
	if (content_length(fcgi_param(call, "CONTENT_LENGTH"), &len) != RC_OK)
		return RC_BAD_INPUT;
	if (len > max)
		return RC_TOO_LARGE;
	if (!make_room(call, len + 1))
		return RC_TOO_LARGE;
	rc = read_stdin(call->request->in, (char *)call->body, len);
	if (rc != RC_OK)
		return rc;
	call->body[len] = '\0';
	call->body_len = len;
	return RC_OK;
}

const char *
fcgi_param(const struct fcgi_call *call, const char *name)
{
	const char *value = FCGX_GetParam(name, call->request->envp);

	return value && *value ? value : NULL;
}

const unsigned char *
fcgi_body(const struct fcgi_call *call, size_t *len)
{
	*len = call->body_len;
	return call->body;
}

int
fcgi_body_rc(const struct fcgi_call *call)
{
	return call->body_rc;
}

/* FCGX_PutStr takes an int and may be interrupted half-way. */
static int
put(FCGX_Stream *out, const char *data, size_t len)
{
	while (len) {
		int part = len > (size_t)1 << 20 ? 1 << 20 : (int)len;

		if (FCGX_PutStr(data, part, out) != part)
			return RC_BUG;
		data += part;
		len -= (size_t)part;
	}
	return RC_OK;
}

static FCGI_Header
record(const FCGX_Request *request, unsigned char type, size_t len)
{
	return (FCGI_Header){ .version = FCGI_VERSION_1,
		.type = type,
		.requestIdB1 = (unsigned char)(request->requestId >> 8),
		.requestIdB0 = (unsigned char)request->requestId,
		.contentLengthB1 = (unsigned char)(len >> 8),
		.contentLengthB0 = (unsigned char)len };
}

static struct iovec
piece(const void *data, size_t len)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)data,
		.iov_len = len };
}

/* Interrupted is failed: only the guard interrupts. */
static int
write_pieces(int fd, struct iovec *pieces, int n)
{
	while (n) {
		ssize_t done = writev(fd, pieces, n);

		if (done < 0)
			return RC_BUG;
		for (; n && (size_t)done >= pieces->iov_len; pieces++, n--)
			done -= (ssize_t)pieces->iov_len;
		if (n)
			*pieces = piece((char *)pieces->iov_base + done,
			    pieces->iov_len - (size_t)done);
	}
	return RC_OK;
}

/*
 * The whole reply, with the record that ends the request, in one system
 * call.  libfcgi would copy it through a buffer of 8 KiB, and a page would
 * cost it and nginx two or three calls each.
 *
 * Before a connection is closed, a surplus record follows: nginx keeps none
 * with bytes behind the end, where it would send the next request, a POST
 * perhaps, on this one until it sees that it is closed.
 */
static int
reply_at_once(struct fcgi_call *call, const char *head, size_t head_len,
    const char *body, size_t body_len)
{
	FCGX_Request *r = call->request;
	const FCGI_Header first =
	    record(r, FCGI_STDOUT, head_len + 2 + body_len);
	const struct {
		FCGI_Header no_more;
		FCGI_EndRequestRecord end;
	} last = { record(r, FCGI_STDOUT, 0),
		{ record(r, FCGI_END_REQUEST, sizeof(FCGI_EndRequestBody)),
		    { .protocolStatus = FCGI_REQUEST_COMPLETE } } };
	const FCGI_Header surplus = record(r, FCGI_STDOUT, 0);
	struct iovec pieces[] = { piece(&first, sizeof(first)),
		piece(head, head_len), piece("\r\n", 2), piece(body, body_len),
		piece(&last, sizeof(last)), piece(&surplus, sizeof(surplus)) };
	int n = LENGTH(pieces) - (r->keepConnection ? 1 : 0);

	call->ended = true;
	if (write_pieces(r->ipcFd, pieces, n) == RC_OK)
		return RC_OK;
	r->keepConnection = 0;
	return RC_BUG;
}

/* The ordinary case; what goes wrong or is large is left to libfcgi. */
static bool
fits_at_once(const struct fcgi_call *call, size_t len)
{
	return call->body_rc == RC_OK && len <= FCGI_MAX_LENGTH;
}

/* What is left in libfcgi's buffer, and the record that ends the request: who
 * waits for it shall not wait for what we do after the reply. */
static int
end_streams(const struct fcgi_call *call)
{
	int failed = FCGX_FClose(call->request->err);

	failed |= FCGX_FClose(call->request->out);
	return failed ? RC_BUG : RC_OK;
}

int
fcgi_reply(struct fcgi_call *call, const char *head, size_t head_len,
    const char *body, size_t body_len)
{
	FCGX_Stream *out = call->request->out;
	int rc;

	call->replied = true;
	in_handler = 0;
	guard(SEND_S);
	if (fits_at_once(call, head_len + 2 + body_len))
		return reply_at_once(call, head, head_len, body, body_len);
	rc = put(out, head, head_len);
	if (rc == RC_OK)
		rc = put(out, "\r\n", 2);
	if (rc == RC_OK)
		rc = put(out, body, body_len);
	return rc == RC_OK ? end_streams(call) : rc;
}

/* While something of the body is unread, libfcgi must drain it before it
 * closes, lest the reply be lost; else it would only wait for the peer. */
static void
finish(const struct fcgi_call *call)
{
	if (call->body_rc == RC_OK || call->body_rc == RC_BUG)
		FCGX_Detach(call->request);
	if (!call->replied)
		guard(SEND_S);
	/* FCGX_Finish_r() would end the request a second time. */
	if (call->ended)
		FCGX_Free(call->request, !call->request->keepConnection);
	else
		FCGX_Finish_r(call->request);
}

/* Answers the request that FCGX_Accept_r() has just read. */
static void
serve(
    FCGX_Request *request, struct fcgi_call *call, const struct fcgi_options *o)
{
	call->request = request;
	call->replied = call->ended = false;
	call->body_rc = read_body(call, o->body_max);
	/* What was not read would be taken for the next request. */
	if (terminated || call->body_rc != RC_OK)
		request->keepConnection = 0;
	if (call->body_rc != RC_BUG) {
		in_handler = 1;
		guard(o->request_s ? o->request_s : 30);
		o->serve(call, o->arg);
		in_handler = 0;
	}
	if (!call->replied)
		request->keepConnection = 0;
	finish(call);
	if (call->body_size > BODY_KEEP) {
		free(call->body);
		call->body = NULL;
		call->body_size = 0;
	}
}

struct worker {
	const struct fcgi_options *options;
	struct fcgi_call call;
	FCGX_Request conns[CONN_MAX];
	int top; /* conns[top] was never used yet */
	struct pollfd polls[CONN_MAX + 1];
	int owner[CONN_MAX + 1]; /* polls[i] belongs to this conn */
	int64_t drain_until;
};

static bool
is_open(const struct worker *w, int i)
{
	return w->conns[i].ipcFd >= 0;
}

/* A place for a new connection, or -1. */
static int
free_place(struct worker *w)
{
	for (int i = 0; i < w->top; i++) {
		if (!is_open(w, i))
			return i;
	}
	if (w->top == CONN_MAX)
		return -1;
	FCGX_InitRequest(&w->conns[w->top], LISTENER, FCGI_FAIL_ACCEPT_ON_INTR);
	return w->top++;
}

/* A negative answer of FCGX_Accept_r() is ordinary: the peer closed, sent
 * nonsense or nothing, or another worker was faster. */
static void
take(struct worker *w, int i, bool keep)
{
	FCGX_Request *request = &w->conns[i];

	guard(READ_S);
	if (FCGX_Accept_r(request) >= 0) {
		if (!keep)
			request->keepConnection = 0;
		serve(request, &w->call, w->options);
	}
	guard(0);
}

/* Fills polls; the listener comes last, while it is wanted. */
static nfds_t
collect(struct worker *w)
{
	nfds_t n = 0;

	for (int i = 0; i < w->top; i++) {
		if (!is_open(w, i))
			continue;
		w->owner[n] = i;
		w->polls[n++] = (struct pollfd){ .fd = w->conns[i].ipcFd,
			.events = POLLIN };
	}
	if (!terminated && n < CONN_MAX) {
		w->owner[n] = -1;
		w->polls[n++] =
		    (struct pollfd){ .fd = LISTENER, .events = POLLIN };
	}
	return n;
}

/* The peer closed a kept connection. */
static void
drop(struct worker *w, int i)
{
	FCGX_Detach(&w->conns[i]);
	FCGX_Free(&w->conns[i], 1);
}

static void
serve_readable(struct worker *w, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		int place = w->owner[i];

		if (!w->polls[i].revents)
			continue;
		/* FCGX_Accept_r() would accept another one in its place. */
		if (place >= 0 && (w->polls[i].revents & POLLHUP))
			drop(w, place);
		else if (place >= 0)
			take(w, place, true);
		else if ((place = free_place(w)) >= 0)
			/* The last place stays free for new connections. */
			take(w, place, n < CONN_MAX);
	}
}

/* How long to wait: forever, or what is left of the drain. */
static bool
time_left(struct worker *w, struct timespec *left)
{
	int64_t now = log_now();
	int seconds = w->options->drain_s ? w->options->drain_s : 30;

	if (!w->drain_until)
		w->drain_until = now + (int64_t)seconds * 1000000;
	if (now >= w->drain_until)
		return false;
	left->tv_sec = (w->drain_until - now) / 1000000;
	left->tv_nsec = (w->drain_until - now) % 1000000 * 1000;
	return true;
}

static int
run(struct worker *w, const sigset_t *during_poll)
{
	struct timespec left;

	for (;;) {
		nfds_t n = collect(w);

		if (terminated && (n == 0 || !time_left(w, &left)))
			return EXIT_SUCCESS;
		if (ppoll(w->polls, n, terminated ? &left : NULL, during_poll) >
		    0)
			serve_readable(w, n);
		if (reopen_wanted) {
			reopen_wanted = 0;
			if (w->options->reopen)
				w->options->reopen();
		}
	}
}

static void
close_all(struct worker *w)
{
	for (int i = 0; i < w->top; i++)
		FCGX_Free(&w->conns[i], 1);
	free(w->call.body);
	free(w);
}

int
fcgi_loop(const struct fcgi_options *options)
{
	struct worker *w = calloc(1, sizeof(*w));
	sigset_t during_poll;
	int status;

	if (!w || FCGX_Init() != 0 || FCGX_IsCGI()) {
		log_msg(LOG_ERROR, "fcgi.start",
		    "descriptor 0 is not a listening socket");
		free(w);
		return EXIT_FAILURE;
	}
	w->options = options;
	set_signals(&during_poll);
	/* Several workers wake for one connection; the others must not wait
	 * in accept(). */
	fcntl(LISTENER, F_SETFL, fcntl(LISTENER, F_GETFL) | O_NONBLOCK);
	status = run(w, &during_poll);
	close_all(w);
	return status;
}
