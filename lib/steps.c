/* steps -- see steps.h. */
#include "steps.h"

#include "log.h"

#include <errno.h>

#define SECOND INT64_C(1000000)

void *
steps_map(struct steps_file *file, const char *path)
{
	int lock;

	if (file->map || file->failed || !path)
		return file->map;
	file->map = shared_map_locked(path, file->size, file->magic, &lock);
	file->failed = !file->map;
	if (file->failed)
		log_msg(
		    LOG_WARN, "steps.file", "%s: %s", path, strerror(errno));
	else
		shared_unlock(lock);
	return file->map;
}

/* --- records --- */

void
steps_put(_Atomic uint32_t *record, const void *from, size_t size)
{
	uint32_t step, word;

	memcpy(&step, from, sizeof(step));
	atomic_store_explicit(&record[0], 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 1; i < size / sizeof(word); i++) {
		memcpy(
		    &word, (const char *)from + i * sizeof(word), sizeof(word));
		atomic_store_explicit(&record[i], word, memory_order_relaxed);
	}
	atomic_store_explicit(&record[0], step, memory_order_release);
}

bool
steps_get(const _Atomic uint32_t *record, uint32_t step, void *to, size_t size)
{
	uint32_t word = atomic_load_explicit(&record[0], memory_order_acquire);

	if (step == 0 || word != step)
		return false;
	memcpy(to, &step, sizeof(step));
	for (size_t i = 1; i < size / sizeof(word); i++) {
		word = atomic_load_explicit(&record[i], memory_order_relaxed);
		memcpy((char *)to + i * sizeof(word), &word, sizeof(word));
	}
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&record[0], memory_order_relaxed) == step;
}

/* --- when --- */

static int64_t
first_due(int64_t step_us, int64_t last)
{
	int64_t gone = log_clock() - last;

	if (last == 0 || gone < 0 || gone > step_us)
		return log_now();
	return log_now() + step_us - gone;
}

/* By a clock that nobody sets. */
bool
steps_due(int step_s, int64_t last)
{
	static int64_t next;
	int64_t step_us = step_s * SECOND, now;

	if (!next)
		next = first_due(step_us, last);
	now = log_now();
	if (now < next)
		return false;
	/* In step with the first, but without making up for a long pause. */
	next += step_us;
	if (next < now)
		next = now + step_us;
	return true;
}
