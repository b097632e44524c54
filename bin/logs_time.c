/* logs_time -- times as people say them: see logs.h. */
#include "logs.h"

#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

/* "10m", "2h": so long before now. */
static int64_t
ago(const char *word, int64_t now)
{
	static const char units[] = "smhd";
	static const int64_t lengths[] = { SECOND, 60 * SECOND, 3600 * SECOND,
		DAY };
	const char *unit;
	char *end;
	long n = strtol(word, &end, 10);

	if (end == word || n < 0 || n > 1000000 || !*end || end[1])
		return 0;
	unit = strchr(units, *end);
	return unit ? now - n * lengths[unit - units] : 0;
}

/* "Z", "+09:00" or nothing, in microseconds; *word goes behind it. */
static int64_t
zone(const char **word)
{
	int hours, minutes, n = 0;
	char sign[2];

	if (**word == 'Z') {
		++*word;
		return 0;
	}
	if (sscanf(*word, "%1[+-]%2d:%2d%n", sign, &hours, &minutes, &n) < 3 ||
	    n != 6)
		return 0;
	*word += n;
	return (hours * 60 + minutes) * 60 * SECOND * (*sign == '-' ? -1 : 1);
}

/* ".5" of a second. */
static int64_t
fraction(const char **word)
{
	int64_t us = 0, unit = SECOND / 10;

	if (**word != '.')
		return 0;
	for (++*word; **word >= '0' && **word <= '9'; ++*word, unit /= 10)
		us += unit * (**word - '0');
	return us;
}

/* "14:30", "14:30:05.5", with *word behind it; -1 for what is none. */
static int64_t
time_of_day(const char **word)
{
	int hour, minute, second = 0, n = 0;

	if (sscanf(*word, "%2d:%2d%n", &hour, &minute, &n) < 2 || n != 5)
		return -1;
	*word += n;
	if (sscanf(*word, ":%2d%n", &second, &n) == 1)
		*word += n;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 60)
		return -1;
	return ((hour * 60 + minute) * 60 + second) * SECOND + fraction(word);
}

/* Of the last 24 hours: what would be later today was yesterday. */
static int64_t
of_today(const char *word, int64_t now)
{
	int64_t us = time_of_day(&word);

	if (us < 0 || *word)
		return 0;
	us += now - now % DAY;
	return us > now ? us - DAY : us;
}

static int64_t
of_calendar(const char *word)
{
	struct tm tm = { 0 };
	int64_t us = 0, day;
	int n = 0;

	if (sscanf(word, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&n) < 3 ||
	    n != 10 || tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31)
		return 0;
	word += n;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	day = (int64_t)timegm(&tm) * SECOND;
	if (*word == 'T' || *word == ' ') {
		word++;
		us = time_of_day(&word);
		if (us < 0)
			return 0;
		us -= zone(&word);
	}
	return *word ? 0 : day + us;
}

int64_t
logs_time(const char *word, int64_t now)
{
	int64_t us = ago(word, now);

	if (us == 0)
		us = of_today(word, now);
	return us ? us : of_calendar(word);
}
