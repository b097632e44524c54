/* GET and POST /admin/queues -- how events come along, and what becomes of
 * those that nobody could work with. */
#include "audit.h"
#include "outbox.h"
#include "queue.h"
#include "route.h"
#include "utf8.h"

#define LAG_MAX 10000 /* as outbox_lag() counts */
#define PART_MAX 80   /* bytes of a name */

static const struct field fields[] = {
	{ "act", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 10, N_("Action") },
	{ "id", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 3, 40,
	    N_("Dead letter") },
	{ 0 }
};

/* Of a long event only the beginning is at hand, but its data come last. */
static const char *
without_data(struct req *req, const char *text)
{
	const char *data = strstr(text, ",\"data\":");

	return data ?
	    arena_printf(req->arena, "%.*s}", (int)(data - text), text) :
	    text;
}

/* What the event within a dead letter says; any of it may be missing. */
static json_t *
event_of(struct req *req, const json_t *letter)
{
	const char *text = model_text(letter, "event");
	json_t *event = text ? json_loads(text, 0, NULL) : NULL;

	if (text && !event)
		event = json_loads(without_data(req, text), 0, NULL);
	return json_is_object(event) ? event : json_object();
}

/* Anything may be in an event; the record has room for a title. */
static const char *
shortened(struct req *req, const char *text)
{
	size_t len = strlen(text), at = 0;
	uint32_t ch;

	while (at < len && at < PART_MAX)
		at += utf8_next(text + at, len - at, &ch);
	return arena_strndup(req->arena, text, at);
}

/* "order.paid 20261121-7K3QXM" */
static const char *
name_of(struct req *req, const json_t *event)
{
	const char *type = model_text(event, "type");
	const char *subject = model_text(event, "subject");

	if (!type || !*type)
		return _("An event that cannot be read");
	return arena_printf(req->arena, "%s %s", shortened(req, type),
	    shortened(req, subject ? subject : ""));
}

static void
view_letter(struct req *req, json_t *letter)
{
	int64_t ms = strtoll(model_text(letter, "id"), NULL, 10);

	model_set_text(letter, "name", name_of(req, event_of(req, letter)));
	model_set_text(letter, "time_text", view_time(req, ms / 1000));
}

static void
view_group(struct req *req, json_t *group)
{
	json_t *consumers = json_object_get(group, "consumers"), *consumer;
	const json_t *lag = json_object_get(group, "lag");
	size_t i;

	model_set_text(group, "lag_text",
	    json_is_integer(lag) ? arena_printf(req->arena, "%lld",
				       (long long)json_integer_value(lag)) :
				   _("not known"));
	json_array_foreach(consumers, i, consumer) {
		model_set_text(consumer, "group", model_text(group, "name"));
		model_set_int(
		    consumer, "idle_s", model_int(consumer, "idle_ms") / 1000);
	}
}

static void
view_outbox(struct req *req, json_t *model, int64_t waiting, int64_t seconds)
{
	model_set_text(model, "waiting_text",
	    waiting < LAG_MAX ?
		arena_printf(req->arena, "%lld", (long long)waiting) :
		arena_printf(req->arena, _("%d or more"), LAG_MAX));
	model_set_int(model, "seconds", seconds);
}

static json_t *
queues_model(struct req *req, json_t *state)
{
	json_t *groups = json_object_get(state, "groups");
	json_t *dead = json_object_get(state, "dead"), *one;
	size_t i;

	json_array_foreach(groups, i, one)
		view_group(req, one);
	json_array_foreach(dead, i, one)
		view_letter(req, one);
	model_set_bool(state, "any_dead", json_array_size(dead) > 0);
	model_set_bool(state, "no_dead", json_array_size(dead) == 0);
	model_set_bool(state, "any_groups", json_array_size(groups) > 0);
	model_set_bool(state, "no_groups", json_array_size(groups) == 0);
	model_set_bool(state, "more_dead",
	    model_int(state, "dead_length") > (int64_t)json_array_size(dead));
	page_crumb(state, _("Home"), "/");
	page_crumb(state, _("Manage"), "/admin");
	page_crumb(state, _("Queues"), NULL);
	return state;
}

static int
show(struct req *req)
{
	int64_t waiting, seconds;
	json_t *state;
	int rc;

	if ((rc = outbox_lag(req, &waiting, &seconds)) < 0 ||
	    (rc = queue_state(req, &state)) < 0)
		return rc;
	view_outbox(req, state, waiting, seconds);
	return page_send(req, "admin-queues", queues_model(req, state));
}

/* --- acts --- */

struct act {
	const char *name, *audited;
	int (*run)(struct req *req, const char *id);
	const char *said;
	const json_t *letter;
};

static const struct act acts[] = {
	{ "replay", "event.replay", queue_replay,
	    N_("The event is in the queue again."), NULL },
	{ "discard", "event.discard", queue_discard,
	    N_("The event has been discarded."), NULL },
};

static int64_t
number_of(const char *id)
{
	long long n = id ? strtoll(id, NULL, 10) : 0;

	return n > 0 ? n : 0;
}

static int
record(struct req *req, void *arg)
{
	const struct act *act = arg;
	const json_t *event = event_of(req, act->letter);
	const char *id = model_text(event, "id");
	struct audit_object object = { .type = "event",
		.id = number_of(id),
		.label = name_of(req, event) };
	json_t *changes = json_pack(
	    "{s:[O, n]}", "reason", json_object_get(act->letter, "reason"));

	return audit_add(req, act->audited, &object, changes);
}

/* Recorded first: an act without its record must not be. */
static int
act_on(struct req *req)
{
	const char *name = form_str(req, "act"), *id = form_str(req, "id");
	json_t *letter;
	int rc = queue_dead(req, id, &letter);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < LENGTH(acts); i++) {
		struct act act = acts[i];

		if (strcmp(name, act.name) != 0)
			continue;
		act.letter = letter;
		if ((rc = db_tx(req, record, &act)) < 0 ||
		    (rc = act.run(req, id)) < 0)
			return rc;
		return page_redirect_flash(
		    req, "/admin/queues", "done", _(act.said));
	}
	return req_fail(req, RC_BAD_INPUT, "%s",
	    _("A dead letter can be replayed or discarded."));
}

static const struct route admin_queues = {
	.name = "admin-queues",
	.get = show,
	.post = act_on,
	.fields = fields,
	.needs = NEED_ADMIN | NEED_FORM,
};

int
main(void)
{
	return route_run(&admin_queues);
}
