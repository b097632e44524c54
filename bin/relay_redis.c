/* relay_redis -- events to the Redis Stream and the Pub/Sub channel. */
#include "queue.h"
#include "relay.h"

const struct sink sink_redis = {
	.name = "redis",
	.ready = queue_room,
	.send = queue_send,
};
