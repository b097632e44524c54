/* backoff -- see backoff.h. */
#include "backoff.h"

#include "secret.h"

#include <time.h>

void
backoff_wait(uint32_t first_us, int tries)
{
	uint32_t us = first_us << (tries < 8 ? tries : 8);
	struct timespec t;

	us += secret_below(us);
	t.tv_sec = us / 1000000;
	t.tv_nsec = (long)(us % 1000000) * 1000;
	nanosleep(&t, NULL);
}
