/* panel -- see panel.h: the list. */
#include "panel_internal.h"

#include "breaker.h"

/* How PromQL asks for what is asked here of metric.h. */
#define A_SECOND(metric) "sum(rate(" metric "[5m]))"
#define A_MINUTE(metric) "sum(rate(" metric "[5m])) * 60"
#define IN_HOUR(metric) "sum(increase(" metric "[1h]))"
#define PART(some, all) A_SECOND(some) " / " A_SECOND(all)
#define TOOK(part, metric) \
	"histogram_quantile(" part ", sum by (le) (rate(" metric "[5m])))"

#define EDGE "seoga_edge_requests_total"
#define EDGE_TOOK "seoga_edge_request_duration_seconds_bucket"
#define SQL_TOOK "seoga_sql_duration_seconds"
#define REDIS_TOOK "seoga_redis_duration_seconds"
#define OF_ROUTE "seoga_http_requests_total{route=~'$route'"
#define ROUTE_TOOK "seoga_http_request_duration_seconds_bucket{route=~'$route'}"
#define CACHE "seoga_cache_requests_total"

#define LINES(array) .lines = (array), .nlines = LENGTH(array)

/* --- application --- */

static const struct panel_line app_up[] = {
	{ "MariaDB", "min(seoga_db_up)", panel_gauge, METRIC_DB_UP, NULL },
	{ "Redis", "min(seoga_redis_up)", panel_gauge, METRIC_REDIS_UP, NULL },
};
static const struct panel_line app_breakers[] = {
	{ "MariaDB", "max(seoga_breaker_open{backend='mariadb'})",
	    panel_breaker_open, BREAKER_MARIADB, NULL },
	{ "Redis", "max(seoga_breaker_open{backend='redis'})",
	    panel_breaker_open, BREAKER_REDIS, NULL },
};
static const struct panel_line app_hour[] = {
	{ N_("Requests"), IN_HOUR(EDGE), panel_codes, -1, NULL },
	{ N_("Workers started"), IN_HOUR("seoga_worker_starts_total"),
	    panel_starts, 0, NULL },
	{ N_("Workers crashed"), IN_HOUR("seoga_worker_crashes_total"),
	    panel_crashes, 0, NULL },
	{ N_("Traces lost"),
	    IN_HOUR("seoga_traces_dropped_total") " + " IN_HOUR(
		"seoga_traces_lost_total"),
	    panel_dropped, 0, NULL },
};
static const struct panel_line app_now[] = {
	{ N_("Instances"), "count(seoga_build_info)", panel_instances, 0,
	    NULL },
	{ N_("Workers"), "sum(seoga_workers)", panel_workers, 0, NULL },
	{ N_("Events not counted yet"), "max(seoga_queue_lag)", panel_gauge,
	    METRIC_QUEUE_LAG, NULL },
	{ N_("Events in the outbox"), "max(seoga_outbox_waiting)", panel_gauge,
	    METRIC_OUTBOX_WAITING, NULL },
	{ N_("Dead letters"), "max(seoga_dead_letters)", panel_gauge,
	    METRIC_DEAD_LETTERS, NULL },
};
static const struct panel_line app_traffic[] = {
	{ N_("Requests"), A_SECOND(EDGE), panel_codes, -1, NULL },
};
static const struct panel_line app_latency[] = {
	{ "p50", TOOK("0.5", EDGE_TOOK), panel_edge_took, 50, NULL },
	{ "p95", TOOK("0.95", EDGE_TOOK), panel_edge_took, 95, NULL },
	{ "p99", TOOK("0.99", EDGE_TOOK), panel_edge_took, 99, NULL },
};
static const struct panel_line app_errors[] = {
	{ N_("5xx: our fault"), PART(EDGE "{code=~'5..'}", EDGE),
	    panel_code_part, TREND_5XX, NULL },
	{ N_("4xx: the client's"), PART(EDGE "{code=~'4..'}", EDGE),
	    panel_code_part, TREND_4XX, NULL },
};
static const struct panel_line app_saturation[] = {
	{ N_("Workers that are busy"),
	    "sum(seoga_workers{state='busy'}) / sum(seoga_workers)",
	    panel_busy_part, 0, NULL },
	{ N_("Connections of MariaDB"),
	    "max(seoga_db_connections / seoga_db_connections_max)",
	    panel_connections_part, 0, NULL },
	{ N_("Memory of Redis"),
	    "max(seoga_redis_memory_bytes / (seoga_redis_memory_max_bytes > "
	    "0))",
	    panel_redis_part, 0, NULL },
};
static const struct panel_line app_memory[] = {
	{ N_("The whole site"), "sum(seoga_memory_bytes)", panel_gauge,
	    METRIC_MEMORY, NULL },
};
static const struct panel_line app_bytes[] = {
	{ N_("Bytes a second"), A_SECOND("seoga_edge_response_bytes_total"),
	    panel_bytes_a_second, 0, NULL },
};
static const struct panel_line app_workers[] = {
	{ N_("Busy"), "sum by (route) (seoga_workers{state='busy'})", NULL, 0,
	    NULL },
	{ N_("Idle"), "sum by (route) (seoga_workers{state='idle'})", NULL, 0,
	    NULL },
	{ N_("Started"), "sum by (route) (seoga_worker_starts_total)", NULL, 0,
	    NULL },
	{ N_("Crashed"), "sum by (route) (seoga_worker_crashes_total)", NULL, 0,
	    NULL },
};

static const struct panel app_panels[] = {
	{ "app-up", N_("Servers, up or not"), PANEL_STAT, PANEL_UP,
	    LINES(app_up) },
	{ "app-breakers", N_("Circuit breakers, open or not"), PANEL_STAT,
	    PANEL_UP, LINES(app_breakers) },
	{ "app-now", N_("Now"), PANEL_STAT, PANEL_NUMBER, LINES(app_now) },
	{ "app-hour", N_("In the last hour"), PANEL_STAT, PANEL_NUMBER,
	    LINES(app_hour) },
	{ "app-traffic", N_("Requests a second"), PANEL_SERIES, PANEL_RATE,
	    LINES(app_traffic) },
	{ "app-latency", N_("How long requests take"), PANEL_SERIES, PANEL_TIME,
	    LINES(app_latency) },
	{ "app-errors", N_("Requests that fail"), PANEL_SERIES, PANEL_PART,
	    LINES(app_errors) },
	{ "app-saturation", N_("How full it is"), PANEL_SERIES, PANEL_PART,
	    LINES(app_saturation) },
	{ "app-memory", N_("Memory"), PANEL_SERIES, PANEL_BYTES,
	    LINES(app_memory) },
	{ "app-bytes", N_("Sent a second"), PANEL_SERIES, PANEL_BYTES,
	    LINES(app_bytes) },
	{ "app-workers", N_("Workers by program"), PANEL_TABLE, PANEL_NUMBER,
	    LINES(app_workers), .corner = N_("Program"),
	    .rows = panel_worker_rows },
};

/* --- API --- */

static const struct panel_line api_traffic[] = {
	{ N_("Requests"), A_SECOND(OF_ROUTE "}"), panel_route_rate, 0, NULL },
};
static const struct panel_line api_latency[] = {
	{ "p50", TOOK("0.5", ROUTE_TOOK), panel_route_took, 50, NULL },
	{ "p95", TOOK("0.95", ROUTE_TOOK), panel_route_took, 95, NULL },
	{ "p99", TOOK("0.99", ROUTE_TOOK), panel_route_took, 99, NULL },
};
static const struct panel_line api_errors[] = {
	{ N_("5xx: our fault"), PART(OF_ROUTE ",status='5xx'}", OF_ROUTE "}"),
	    panel_route_part, 5, NULL },
	{ N_("4xx: the client's"),
	    PART(OF_ROUTE ",status='4xx'}", OF_ROUTE "}"), panel_route_part, 4,
	    NULL },
};
#define BY_ROUTE(metric) "sum by (route) (increase(" metric "[1h]))"
static const struct panel_line api_routes[] = {
	{ N_("Requests"), BY_ROUTE(OF_ROUTE "}"), NULL, 0, NULL },
	{ "4xx", BY_ROUTE(OF_ROUTE ",status='4xx'}"), NULL, 0, NULL },
	{ "5xx", BY_ROUTE(OF_ROUTE ",status='5xx'}"), NULL, 0, NULL },
	{ "p50 (ms)",
	    "histogram_quantile(0.5, sum by (route, le) (increase(" ROUTE_TOOK
	    "[1h]))) * 1000",
	    NULL, 0, NULL },
	{ "p95 (ms)",
	    "histogram_quantile(0.95, sum by (route, le) (increase(" ROUTE_TOOK
	    "[1h]))) * 1000",
	    NULL, 0, NULL },
	{ "p99 (ms)",
	    "histogram_quantile(0.99, sum by (route, le) (increase(" ROUTE_TOOK
	    "[1h]))) * 1000",
	    NULL, 0, NULL },
};

static const struct panel api_panels[] = {
	{ "api-traffic", N_("Requests a second"), PANEL_SERIES, PANEL_RATE,
	    LINES(api_traffic) },
	{ "api-latency", N_("How long requests take"), PANEL_SERIES, PANEL_TIME,
	    LINES(api_latency) },
	{ "api-errors", N_("Requests that fail"), PANEL_SERIES, PANEL_PART,
	    LINES(api_errors) },
	{ "api-routes", N_("By program, in the last hour"), PANEL_TABLE,
	    PANEL_NUMBER, LINES(api_routes), .corner = N_("Program"),
	    .rows = panel_route_rows },
};

/* --- MariaDB --- */

static const struct panel_line db_up[] = {
	{ "MariaDB", "min(seoga_db_up)", panel_gauge, METRIC_DB_UP, NULL },
};
static const struct panel_line db_server[] = {
	{ N_("Statements under way"),
	    "sum(mysql_global_status_threads_running)", panel_db, 0,
	    "running" },
	{ N_("Slow statements"), "sum(mysql_global_status_slow_queries)",
	    panel_db, 0, "slow" },
	{ N_("Waits for a row's lock"),
	    "sum(mysql_global_status_innodb_row_lock_waits)", panel_db, 0,
	    "lock_waits" },
	{ N_("Deadlocks"), "sum(mysql_global_status_innodb_deadlocks)",
	    panel_db, 0, "deadlocks" },
	{ N_("Sorted on disk"),
	    "sum(mysql_global_status_created_tmp_disk_tables)", panel_db, 0,
	    "tmp_disk" },
	{ N_("Connections refused"),
	    "sum(mysql_global_status_aborted_connects)", panel_db, 0,
	    "aborted" },
};
static const struct panel_line db_buffer[] = {
	{ N_("Read without the disk"),
	    "1 - sum(mysql_global_status_innodb_buffer_pool_reads) /"
	    " sum(mysql_global_status_innodb_buffer_pool_read_requests)",
	    panel_db_hits, 0, NULL },
	{ N_("Of it in use"),
	    "sum(mysql_global_status_buffer_pool_pages{state='data'}) /"
	    " sum(mysql_global_status_buffer_pool_pages)",
	    panel_db_fill, 0, NULL },
};
static const struct panel_line db_connections[] = {
	{ N_("Connections"), "max(seoga_db_connections)", panel_gauge,
	    METRIC_DB_CONNECTIONS, NULL },
	{ N_("At most"), "max(seoga_db_connections_max)", panel_gauge,
	    METRIC_DB_CONNECTIONS_MAX, NULL },
};
static const struct panel_line db_statements[] = {
	{ N_("Statements"), A_SECOND(SQL_TOOK "_count"), panel_sql_rate, 0,
	    NULL },
};
static const struct panel_line db_latency[] = {
	{ "p50", TOOK("0.5", SQL_TOOK "_bucket"), panel_sql_took, 50, NULL },
	{ "p95", TOOK("0.95", SQL_TOOK "_bucket"), panel_sql_took, 95, NULL },
	{ "p99", TOOK("0.99", SQL_TOOK "_bucket"), panel_sql_took, 99, NULL },
};
static const struct panel_line db_errors[] = {
	{ N_("Failed"), A_MINUTE("seoga_sql_errors_total"), panel_a_minute,
	    METRIC_SQL_ERRORS, NULL },
	{ N_("Connected anew"), A_MINUTE("seoga_sql_reconnects_total"),
	    panel_a_minute, METRIC_SQL_RECONNECTS, NULL },
};
/* For these the exporter's account would have to see the tables. */
static const struct panel_line db_tables[] = {
	{ N_("Rows, about"), NULL, NULL, 0, NULL },
	{ N_("Size"), NULL, NULL, 0, NULL },
};

static const struct panel db_panels[] = {
	{ "db-up", N_("Server, in order or not"), PANEL_STAT, PANEL_UP,
	    LINES(db_up) },
	{ "db-buffer", N_("Buffer pool of InnoDB"), PANEL_STAT, PANEL_PART,
	    LINES(db_buffer) },
	{ "db-server", N_("Since MariaDB was started"), PANEL_STAT,
	    PANEL_NUMBER, LINES(db_server) },
	{ "db-connections", N_("Connections"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(db_connections) },
	{ "db-statements", N_("Statements a second"), PANEL_SERIES, PANEL_RATE,
	    LINES(db_statements) },
	{ "db-latency", N_("How long statements take"), PANEL_SERIES,
	    PANEL_TIME, LINES(db_latency) },
	{ "db-errors", N_("Trouble a minute"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(db_errors) },
	{ "db-tables", N_("Tables"), PANEL_TABLE, PANEL_BYTES, LINES(db_tables),
	    .corner = N_("Table"), .rows = panel_table_rows },
};

/* --- Redis --- */

static const struct panel_line redis_up[] = {
	{ "Redis", "min(seoga_redis_up)", panel_gauge, METRIC_REDIS_UP, NULL },
	{ N_("Append-only file"), "min(redis_aof_enabled)", panel_redis, 0,
	    "aof" },
	{ N_("Its last write"), "min(redis_aof_last_write_status)", panel_redis,
	    0, "aof_ok" },
};
static const struct panel_line redis_server[] = {
	{ N_("Commands a second"),
	    "sum(rate(redis_commands_processed_total"
	    "[1m]))",
	    panel_redis, 0, "per_s" },
	{ N_("Clients"), "sum(redis_connected_clients)", panel_redis, 0,
	    "clients" },
	{ N_("Keys"), "sum(redis_db_keys)", panel_redis, 0, "keys" },
	{ N_("Keys that ran out"), "sum(redis_expired_keys_total)", panel_redis,
	    0, "expired" },
	{ N_("Keys that were evicted"), "sum(redis_evicted_keys_total)",
	    panel_redis, 0, "evicted" },
	{ N_("Events in the queue"), "max(seoga_queue_length)", panel_gauge,
	    METRIC_QUEUE_LENGTH, NULL },
};
static const struct panel_line redis_keys[] = {
	{ N_("Keys that were there"),
	    "sum(redis_keyspace_hits_total) / (sum(redis_keyspace_hits_total)"
	    " + sum(redis_keyspace_misses_total))",
	    panel_redis_hits, 0, NULL },
};
static const struct panel_line redis_memory[] = {
	{ N_("In use"), "max(seoga_redis_memory_bytes)", panel_gauge,
	    METRIC_REDIS_MEMORY, NULL },
	{ N_("At most"), "max(seoga_redis_memory_max_bytes)", panel_gauge,
	    METRIC_REDIS_MEMORY_MAX, NULL },
};
static const struct panel_line redis_trips[] = {
	{ N_("Trips"), A_SECOND(REDIS_TOOK "_count"), panel_redis_rate, 0,
	    NULL },
};
static const struct panel_line redis_latency[] = {
	{ "p50", TOOK("0.5", REDIS_TOOK "_bucket"), panel_redis_took, 50,
	    NULL },
	{ "p95", TOOK("0.95", REDIS_TOOK "_bucket"), panel_redis_took, 95,
	    NULL },
	{ "p99", TOOK("0.99", REDIS_TOOK "_bucket"), panel_redis_took, 99,
	    NULL },
};
static const struct panel_line redis_errors[] = {
	{ N_("Failed"), A_MINUTE("seoga_redis_errors_total"), panel_a_minute,
	    METRIC_REDIS_ERRORS, NULL },
	{ N_("Connected anew"), A_MINUTE("seoga_redis_reconnects_total"),
	    panel_a_minute, METRIC_REDIS_RECONNECTS, NULL },
};
#define CACHE_PART(name) \
	PART(CACHE "{cache='" name "',outcome=~'hit|early'}", \
	    CACHE "{cache='" name "'}")
static const struct panel_line redis_caches[] = {
	{ N_("Books"), CACHE_PART("book"), panel_cache_part, METRIC_CACHE_BOOK,
	    NULL },
	{ N_("Categories"), CACHE_PART("categories"), panel_cache_part,
	    METRIC_CACHE_CATEGORIES, NULL },
	{ N_("What sells best"), CACHE_PART("popular"), panel_cache_part,
	    METRIC_CACHE_POPULAR, NULL },
};

static const struct panel redis_panels[] = {
	{ "redis-up", N_("Server, in order or not"), PANEL_STAT, PANEL_UP,
	    LINES(redis_up) },
	{ "redis-server", N_("Now, and since Redis was started"), PANEL_STAT,
	    PANEL_NUMBER, LINES(redis_server) },
	{ "redis-keys", N_("Reads that found something"), PANEL_STAT,
	    PANEL_PART, LINES(redis_keys) },
	{ "redis-memory", N_("Memory"), PANEL_SERIES, PANEL_BYTES,
	    LINES(redis_memory) },
	{ "redis-trips", N_("Trips to Redis a second"), PANEL_SERIES,
	    PANEL_RATE, LINES(redis_trips) },
	{ "redis-latency", N_("How long a trip takes"), PANEL_SERIES,
	    PANEL_TIME, LINES(redis_latency) },
	{ "redis-caches", N_("Found in the caches"), PANEL_SERIES, PANEL_PART,
	    LINES(redis_caches) },
	{ "redis-errors", N_("Trouble a minute"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(redis_errors) },
};

/* --- business --- */

static const struct panel_line biz_stock[] = {
	{ N_("Members"), "max(seoga_users)", panel_gauge, METRIC_USERS, NULL },
	{ N_("Books"), "max(seoga_books)", panel_gauge, METRIC_BOOKS, NULL },
};
static const struct panel_line biz_hour[] = {
	{ N_("Sign-ins"), IN_HOUR("seoga_logins_total{outcome='ok'}"),
	    panel_count, METRIC_LOGINS, NULL },
	{ N_("New members"), IN_HOUR("seoga_registrations_total"), panel_count,
	    METRIC_REGISTRATIONS, NULL },
	{ N_("Put in a cart"), IN_HOUR("seoga_cart_adds_total"), panel_count,
	    METRIC_CART_ADDS, NULL },
	{ N_("Orders placed"), IN_HOUR("seoga_orders_total{state='placed'}"),
	    panel_count, METRIC_ORDERS_PLACED, NULL },
	{ N_("Orders paid"), IN_HOUR("seoga_orders_total{state='paid'}"),
	    panel_count, METRIC_ORDERS_PAID, NULL },
	{ N_("Orders cancelled"),
	    IN_HOUR("seoga_orders_total{state='cancelled'}"), panel_count,
	    METRIC_ORDERS_CANCELLED, NULL },
	{ N_("Searches"), IN_HOUR("seoga_searches_total"), panel_searches, 0,
	    NULL },
};
static const struct panel_line biz_revenue[] = {
	{ N_("In the last hour"), IN_HOUR("seoga_revenue_won_total"),
	    panel_count, METRIC_REVENUE, NULL },
	{ N_("Today"), "sum(increase(seoga_revenue_won_total[1d]))",
	    panel_revenue, 1, NULL },
	{ N_("7 days"), "sum(increase(seoga_revenue_won_total[7d]))",
	    panel_revenue, 7, NULL },
};
static const struct panel_line biz_orders[] = {
	{ N_("Ordered"), A_MINUTE("seoga_orders_total{state='placed'}"),
	    panel_a_minute, METRIC_ORDERS_PLACED, NULL },
	{ N_("Paid"), A_MINUTE("seoga_orders_total{state='paid'}"),
	    panel_a_minute, METRIC_ORDERS_PAID, NULL },
	{ N_("Cancelled"), A_MINUTE("seoga_orders_total{state='cancelled'}"),
	    panel_a_minute, METRIC_ORDERS_CANCELLED, NULL },
};
static const struct panel_line biz_readers[] = {
	{ N_("Sign-ins"), A_MINUTE("seoga_logins_total{outcome='ok'}"),
	    panel_a_minute, METRIC_LOGINS, NULL },
	{ N_("New members"), A_MINUTE("seoga_registrations_total"),
	    panel_a_minute, METRIC_REGISTRATIONS, NULL },
	{ N_("Put in a cart"), A_MINUTE("seoga_cart_adds_total"),
	    panel_a_minute, METRIC_CART_ADDS, NULL },
};
static const struct panel_line biz_searches[] = {
	{ N_("Found nothing"),
	    PART(
		"seoga_searches_total{outcome='none'}", "seoga_searches_total"),
	    panel_none_part, 0, NULL },
};
static const struct panel_line biz_days[] = {
	{ N_("Orders"), NULL, NULL, 0, NULL },
	{ N_("Copies"), NULL, NULL, 0, NULL },
	{ N_("Revenue"), NULL, NULL, 0, NULL },
};
static const struct panel_line biz_books[] = {
	{ N_("Copies"), NULL, NULL, 0, NULL },
	{ N_("Revenue"), NULL, NULL, 0, NULL },
};

static const struct panel biz_panels[] = {
	{ "biz-stock", N_("The library"), PANEL_STAT, PANEL_NUMBER,
	    LINES(biz_stock) },
	{ "biz-revenue", N_("Revenue"), PANEL_STAT, PANEL_MONEY,
	    LINES(biz_revenue) },
	{ "biz-hour", N_("In the last hour"), PANEL_STAT, PANEL_NUMBER,
	    LINES(biz_hour) },
	{ "biz-orders", N_("Orders a minute"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(biz_orders) },
	{ "biz-readers", N_("Readers, a minute"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(biz_readers) },
	{ "biz-searches", N_("Searches without a hit"), PANEL_SERIES,
	    PANEL_PART, LINES(biz_searches) },
	{ "biz-days", N_("Sold in the last 7 days"), PANEL_TABLE, PANEL_MONEY,
	    LINES(biz_days), .corner = N_("Day (UTC)"),
	    .rows = panel_day_rows },
	{ "biz-books", N_("Sold most in the last 7 days"), PANEL_TABLE,
	    PANEL_MONEY, LINES(biz_books), .corner = N_("Title"),
	    .rows = panel_book_rows },
};

/* --- attacks --- */

#define ATTACK(kind) "seoga_attack_events_total{kind='" kind "'}"
static const struct panel_line attack_hour[] = {
	{ N_("Failed sign-ins"), IN_HOUR(ATTACK("login_failed")), panel_attacks,
	    ATTACK_LOGIN_FAILED, NULL },
	{ N_("Bursts of errors"), IN_HOUR(ATTACK("burst_4xx")), panel_attacks,
	    ATTACK_BURST, NULL },
	{ N_("Scanners"), IN_HOUR(ATTACK("scanner")), panel_attacks,
	    ATTACK_SCANNER, NULL },
	{ N_("Above a limit"), IN_HOUR(ATTACK("rate_limited")), panel_attacks,
	    ATTACK_LIMITED, NULL },
};
static const struct panel_line attack_events[] = {
	{ N_("Failed sign-ins"), A_MINUTE(ATTACK("login_failed")),
	    panel_attacks, ATTACK_LOGIN_FAILED, NULL },
	{ N_("Bursts of errors"), A_MINUTE(ATTACK("burst_4xx")), panel_attacks,
	    ATTACK_BURST, NULL },
	{ N_("Scanners"), A_MINUTE(ATTACK("scanner")), panel_attacks,
	    ATTACK_SCANNER, NULL },
	{ N_("Above a limit"), A_MINUTE(ATTACK("rate_limited")), panel_attacks,
	    ATTACK_LIMITED, NULL },
};
static const struct panel_line attack_logins[] = {
	{ N_("Signed in"), A_MINUTE("seoga_logins_total{outcome='ok'}"),
	    panel_a_minute, METRIC_LOGINS, NULL },
	{ N_("Failed"), A_MINUTE("seoga_logins_total{outcome='failed'}"),
	    panel_a_minute, METRIC_LOGINS_FAILED, NULL },
	{ N_("Locked"), A_MINUTE("seoga_logins_total{outcome='locked'}"),
	    panel_a_minute, METRIC_LOGINS_LOCKED, NULL },
};
static const struct panel_line attack_codes[] = {
	{ "400", A_SECOND(EDGE "{code='400'}"), panel_codes, TREND_400, NULL },
	{ "401", A_SECOND(EDGE "{code='401'}"), panel_codes, TREND_401, NULL },
	{ "403", A_SECOND(EDGE "{code='403'}"), panel_codes, TREND_403, NULL },
	{ "404", A_SECOND(EDGE "{code='404'}"), panel_codes, TREND_404, NULL },
	{ "429", A_SECOND(EDGE "{code='429'}"), panel_codes, TREND_429, NULL },
};
/* Addresses are in no metric: there may be any number, and they are people's.
 */
static const struct panel_line attack_addresses[] = {
	{ N_("Failed sign-ins"), NULL, NULL, 0, NULL },
	{ N_("Errors 4xx"), NULL, NULL, 0, NULL },
	{ N_("Not found"), NULL, NULL, 0, NULL },
	{ N_("Above a limit"), NULL, NULL, 0, NULL },
	{ N_("What it is"), NULL, NULL, 0, NULL },
	{ N_("Last seen"), NULL, NULL, 0, NULL },
	{ N_("Last path"), NULL, NULL, 0, NULL },
};

static const struct panel attack_panels[] = {
	{ "attack-hour", N_("In the last hour"), PANEL_STAT, PANEL_NUMBER,
	    LINES(attack_hour) },
	{ "attack-events", N_("Events a minute"), PANEL_SERIES, PANEL_NUMBER,
	    .bars = true, LINES(attack_events) },
	{ "attack-codes", N_("Answers 4xx a second"), PANEL_SERIES, PANEL_RATE,
	    LINES(attack_codes) },
	{ "attack-logins", N_("Sign-ins a minute"), PANEL_SERIES, PANEL_NUMBER,
	    LINES(attack_logins) },
	{ "attack-addresses",
	    N_("By address, in the last 5 minutes and the last hour"),
	    PANEL_TABLE, PANEL_NUMBER, LINES(attack_addresses),
	    .corner = N_("Address"), .rows = panel_address_rows },
};

/* --- views --- */

#define PANELS(array) .panels = (array), .npanels = LENGTH(array)

static const struct panel_view application = { .name = "application",
	.lead = N_("Is it there, is it fast, does it fail, is it full: what"
		   " nginx answered on this host in the last hour."),
	.title = N_("Application"),
	PANELS(app_panels) };
static const struct panel_view api = { .name = "api",
	.lead = N_("Every program by name, for its pages and its JSON. Choose"
		   " one to see it alone."),
	.title = N_("API and pages"),
	PANELS(api_panels),
	.by_route = true };
static const struct panel_view database = { .name = "database",
	.lead = N_("What the programs ask of MariaDB, and what MariaDB says"
		   " about itself."),
	.title = "MariaDB",
	PANELS(db_panels) };
static const struct panel_view redis = { .name = "redis",
	.lead = N_("Sessions, carts, caches and the queue of events are in"
		   " Redis. It must not evict any of them."),
	.title = "Redis",
	PANELS(redis_panels) };
static const struct panel_view business = { .name = "business",
	.lead =
	    N_("What readers do. Days of sales are those of UTC; they follow"
	       " the orders within seconds."),
	.title = N_("Business"),
	PANELS(biz_panels) };
static const struct panel_view attack = { .name = "attack",
	.lead = N_("Who tries what a reader never would. An address is listed"
		   " for an hour after it was last seen; of IPv6 it is the"
		   " network of one subscriber."),
	.title = N_("Attacks"),
	PANELS(attack_panels) };

const struct panel_view *const panel_views[PANEL_VIEWS] = { &application, &api,
	&database, &redis, &business, &attack };

bool
panel_is_wide(const struct panel_view *view, size_t i)
{
	const struct panel *panels = view->panels;
	size_t first = i;

	while (first > 0 && panels[first - 1].kind == panels[i].kind)
		first--;
	return panels[i].kind == PANEL_TABLE ||
	    ((i - first) % 2 == 0 &&
		(i + 1 == view->npanels ||
		    panels[i + 1].kind != panels[i].kind));
}

const struct panel_view *
panel_view(const char *name)
{
	for (size_t i = 0; i < PANEL_VIEWS; i++)
		if (strcmp(panel_views[i]->name, name) == 0)
			return panel_views[i];
	return NULL;
}
