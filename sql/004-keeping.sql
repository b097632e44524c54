-- Keeping the catalogue: forms that count once, and what librarians look for.

-- Forms that have been carried out, so that one sent twice counts once:
-- result is the number of what came of it.
CREATE TABLE once (
    actor_id BIGINT UNSIGNED NOT NULL,
    once_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    result   BIGINT UNSIGNED NOT NULL DEFAULT 0,
    at       DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    PRIMARY KEY (actor_id, once_key),
    KEY by_time (at)
) ENGINE = InnoDB;

-- Books that are running low, and those that were withdrawn.
ALTER TABLE books
    ADD KEY by_stock (stock_quantity, id),
    ADD KEY by_withdrawn (withdrawn_at, id);

ALTER TABLE audit
    ADD KEY by_act (act, id);
