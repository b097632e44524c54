/* bulk_seen -- keys and where they were met: a hash table of integers. */
#include "bulk.h"

#define FIRST_SIZE 4096 /* a power of two */

struct place {
	uint64_t key;
	size_t where; /* 0: free */
};

struct bulk_seen {
	struct place *places;
	size_t size, n;
};

struct bulk_seen *
bulk_seen_open(void)
{
	struct bulk_seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		return NULL;
	seen->size = FIRST_SIZE;
	seen->places = calloc(seen->size, sizeof(*seen->places));
	if (seen->places)
		return seen;
	free(seen);
	return NULL;
}

void
bulk_seen_close(struct bulk_seen *seen)
{
	if (!seen)
		return;
	free(seen->places);
	free(seen);
}

/* Where the key is, or could be. */
static struct place *
place_of(struct place *places, size_t size, uint64_t key)
{
	uint64_t hash = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(hash >> 20) & (size - 1);

	while (places[i].where && places[i].key != key)
		i = (i + 1) & (size - 1);
	return &places[i];
}

static bool
grow(struct bulk_seen *seen)
{
	size_t size = seen->size * 2;
	struct place *places = calloc(size, sizeof(*places));

	if (!places)
		return false;
	for (size_t i = 0; i < seen->size; i++) {
		if (seen->places[i].where)
			*place_of(places, size, seen->places[i].key) =
			    seen->places[i];
	}
	free(seen->places);
	seen->places = places;
	seen->size = size;
	return true;
}

size_t
bulk_seen_find(const struct bulk_seen *seen, uint64_t key)
{
	return place_of(seen->places, seen->size, key)->where;
}

void
bulk_seen_add(struct bulk_seen *seen, uint64_t key, size_t where)
{
	struct place *place;

	if (seen->n * 2 >= seen->size && !grow(seen))
		return;
	place = place_of(seen->places, seen->size, key);
	seen->n += !place->where;
	*place = (struct place){ key, where };
}
