/* logs_merge -- the wanted lines of all files in order of time, however many
 * there are: see logs.h. */
#include "command.h"
#include "logs.h"

/*
 * Of each file as many lines are held as it takes to put late ones in their
 * place: a heap, whose first is the earliest.
 */
struct source {
	const char *at, *end;
	int64_t last_us;   /* of the line read last */
	int64_t newest_us; /* of those that are held */
	struct logs_line *heap;
	size_t n, size;
};

/* Lines of one time stay in the order in which they stand. */
static bool
is_before(const struct logs_line *a, const struct logs_line *b)
{
	return a->us != b->us ? a->us < b->us : a->s < b->s;
}

static void
push(struct source *source, const struct logs_line *line)
{
	size_t i = source->n++;

	if (source->n > source->size) {
		source->size = source->size ? source->size * 2 : 1024;
		source->heap = reallocarray(
		    source->heap, source->size, sizeof(*source->heap));
		if (!source->heap)
			command_die("there is no memory");
	}
	for (; i > 0 && is_before(line, &source->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		source->heap[i] = source->heap[(i - 1) / 2];
	source->heap[i] = *line;
}

static void
pop(struct source *source)
{
	struct logs_line last = source->heap[--source->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < source->n) {
		if (child + 1 < source->n &&
		    is_before(&source->heap[child + 1], &source->heap[child]))
			child++;
		if (!is_before(&source->heap[child], &last))
			break;
		source->heap[i] = source->heap[child];
		i = child;
	}
	source->heap[i] = last;
}

/* Until the first that is held cannot be preceded by one that is not. */
static void
fill(struct source *source, const struct logs_filter *filter)
{
	struct logs_line line;

	while (source->n == 0 ||
	    source->newest_us - source->heap[0].us <= LOGS_LATE_US) {
		if (!logs_next(filter, &source->at, source->end,
			&source->last_us, &line))
			return;
		push(source, &line);
		if (line.us > source->newest_us)
			source->newest_us = line.us;
	}
}

static struct source *
earliest(struct source *sources, size_t n)
{
	struct source *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (sources[i].n > 0 &&
		    (!first || sources[i].heap[0].us < first->heap[0].us))
			first = &sources[i];
	}
	return first;
}

static void
show_all(struct source *sources, size_t n, const struct logs_filter *filter,
    void (*show)(const struct logs_line *line))
{
	struct source *source;

	for (size_t i = 0; i < n; i++)
		fill(&sources[i], filter);
	while ((source = earliest(sources, n))) {
		show(&source->heap[0]);
		pop(source);
		fill(source, filter);
	}
}

void
logs_merge(const struct logs_files *files, struct logs_filter *filter,
    void (*show)(const struct logs_line *line))
{
	struct source *sources = calloc(files->n + 1, sizeof(*sources));
	size_t n = 0;

	if (!sources)
		command_die("there is no memory");
	for (size_t i = 0; i < files->n; i++) {
		const struct logs_file *file = &files->file[i];

		if (file->len == 0)
			continue;
		sources[n].at = file->data;
		sources[n].end = file->data + file->len;
		logs_range(filter, &sources[n].at, &sources[n].end);
		n++;
	}
	for (size_t i = 0; filter->user && i < n; i++)
		logs_find_traces(filter, sources[i].at, sources[i].end);
	show_all(sources, n, filter, show);
	for (size_t i = 0; i < n; i++)
		free(sources[i].heap);
	free(sources);
}
