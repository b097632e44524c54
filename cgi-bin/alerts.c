/* POST /alerts -- Alertmanager tells what fires and what is over; each alert
 * becomes a line of the log.  Only on the private side. */
#include "log.h"
#include "route.h"
#include "utf8.h"

#define ALERTS_MAX 20	  /* as monitoring/alertmanager.yml.in has it */
#define LABELS_MAX 32	  /* of one alert */
#define LABEL_MAX 200	  /* bytes that are logged of a value */
#define LABELS_BYTES 2000 /* and of all labels of one alert */

/* The webhook of Alertmanager, version 4; what is of no use here is known, so
 * that nothing else gets through. */
static const struct field fields[] = {
	{ "version", FIELD_TEXT, FIELD_BODY | FIELD_REQUIRED, 1, 4, NULL },
	{ "alerts", FIELD_LIST, FIELD_BODY | FIELD_REQUIRED, 1, ALERTS_MAX,
	    NULL },
	{ "receiver", FIELD_TEXT, FIELD_BODY, 0, 0, NULL },
	{ "status", FIELD_TEXT, FIELD_BODY, 0, 0, NULL },
	{ "groupKey", FIELD_TEXT, FIELD_BODY, 0, 0, NULL },
	{ "externalURL", FIELD_TEXT, FIELD_BODY, 0, 0, NULL },
	{ "truncatedAlerts", FIELD_INT, FIELD_BODY, 0, 0, NULL },
	{ "groupLabels", FIELD_OBJECT, FIELD_BODY, 0, LABELS_MAX, NULL },
	{ "commonLabels", FIELD_OBJECT, FIELD_BODY, 0, LABELS_MAX, NULL },
	{ "commonAnnotations", FIELD_OBJECT, FIELD_BODY, 0, LABELS_MAX, NULL },
	{ 0 }
};

/* --- is it an alert? --- */

static bool
is_map_of_texts(const json_t *map)
{
	const char *name;
	json_t *value;

	if (!json_is_object(map) || json_object_size(map) > LABELS_MAX)
		return false;
	json_object_foreach((json_t *)(uintptr_t)map, name, value)
		if (!json_is_string(value))
			return false;
	return true;
}

static bool
is_status(const char *status)
{
	return status &&
	    (strcmp(status, "firing") == 0 || strcmp(status, "resolved") == 0);
}

static bool
is_alert(const json_t *alert)
{
	const json_t *labels = json_object_get(alert, "labels");
	const char *name = model_text(labels, "alertname");

	return json_is_object(alert) &&
	    is_status(model_text(alert, "status")) && is_map_of_texts(labels) &&
	    name && *name &&
	    is_map_of_texts(json_object_get(alert, "annotations"));
}

static int
check(struct req *req)
{
	const json_t *alerts = form_list(req, "alerts"), *alert;
	size_t i;

	if (strcmp(form_str(req, "version"), "4") != 0)
		return req_fail(req, RC_BAD_INPUT,
		    _("Only version 4 of Alertmanager's webhook is known"
		      " here."));
	json_array_foreach(alerts, i, alert)
		if (!is_alert(alert))
			return req_fail(req, RC_BAD_INPUT,
			    _("Alert %d is none: it needs status, labels with"
			      " an alertname, and annotations."),
			    (int)i + 1);
	return RC_OK;
}

/* --- its line --- */

static size_t
whole_letters(const char *text, size_t len)
{
	size_t at = 0;
	uint32_t ch;

	while (at < len) {
		size_t n = utf8_next(text + at, strlen(text + at), &ch);

		if (n == 0 || at + n > len)
			break;
		at += n;
	}
	return at;
}

static void
log_text(const char *key, const json_t *map, const char *name)
{
	const char *text = model_text(map, name);
	size_t len = text ? strlen(text) : 0;

	if (text)
		log_strn(key, text,
		    len > LABEL_MAX ? whole_letters(text, LABEL_MAX) : len);
}

/* {job="seoga",route="books"}, without those that stand for themselves. */
static void
log_labels(struct req *req, json_t *labels)
{
	const char *name, *text = "";
	json_t *value;

	json_object_foreach(labels, name, value) {
		const char *one = json_string_value(value);

		if (strcmp(name, "alertname") == 0 ||
		    strcmp(name, "severity") == 0)
			continue;
		text = arena_printf(req->arena, "%s%s%.*s=\"%.*s\"", text,
		    *text ? "," : "", LABEL_MAX, name,
		    (int)whole_letters(one, LABEL_MAX), one);
		if (strlen(text) > LABELS_BYTES)
			break;
	}
	log_str("labels", text);
}

static void
write_down(struct req *req, const json_t *alert)
{
	json_t *labels = json_object_get(alert, "labels");
	const json_t *annotations = json_object_get(alert, "annotations");
	bool firing = strcmp(model_text(alert, "status"), "firing") == 0;

	if (firing)
		log_event(LOG_WARN, "alert.firing");
	else
		log_event(LOG_INFO, "alert.resolved");
	log_text("alert", labels, "alertname");
	log_text("severity", labels, "severity");
	log_labels(req, labels);
	log_text("summary", annotations, "summary");
	log_text("since", alert, "startsAt");
	if (!firing)
		log_text("until", alert, "endsAt");
	log_end();
}

static int
take(struct req *req)
{
	const json_t *alerts = form_list(req, "alerts"), *alert;
	size_t i;
	int rc = check(req);

	if (rc < 0)
		return rc;
	json_array_foreach(alerts, i, alert)
		write_down(req, alert);
	return page_send_nothing(req);
}

static const struct route alerts_route = {
	.name = "alerts",
	.post = take,
	.fields = fields,
	.needs = NEED_NO_SESSION,
};

int
main(void)
{
	return route_run(&alerts_route);
}
