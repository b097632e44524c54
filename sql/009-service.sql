-- What nginx answered hour by hour on each host, for the objectives of the last
-- 30 days (lib/history_hours.c).  number is that of the last part that was
-- added: each is added once, however often it is sent.
CREATE TABLE service_hours (
    hour DATETIME NOT NULL,
    host VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    ms BIGINT NOT NULL,
    down_ms BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    failed4 BIGINT NOT NULL,
    failed5 BIGINT NOT NULL,
    slow BIGINT NOT NULL,
    sum_us BIGINT NOT NULL,
    PRIMARY KEY (hour, host)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
  COLLATE = utf8mb4_unicode_520_ci;
