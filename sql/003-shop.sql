-- The shop: keeping the catalogue, stock with its history, orders, events.

-- version counts the edits, so that a form filled in from an older one is
-- noticed.  A withdrawn book is kept for the orders that name it, and shown
-- nowhere else.  source_id is what an import calls it; cover is the content
-- hash of an uploaded picture.
ALTER TABLE books
    ADD COLUMN version      INT UNSIGNED NOT NULL DEFAULT 1,
    ADD COLUMN source_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN cover        CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NULL,
    ADD COLUMN withdrawn_at DATETIME NULL,
    ADD UNIQUE KEY by_source (source_id);

ALTER TABLE categories
    ADD COLUMN version INT UNSIGNED NOT NULL DEFAULT 1;

ALTER TABLE users
    ADD COLUMN version INT UNSIGNED NOT NULL DEFAULT 1;

-- Withdrawn books do not count in their category.
DROP TRIGGER book_added;
DROP TRIGGER book_removed;
DROP TRIGGER book_moved;

CREATE TRIGGER book_added AFTER INSERT ON books FOR EACH ROW
    UPDATE categories SET book_count = book_count + 1
    WHERE id = NEW.category_id AND NEW.withdrawn_at IS NULL;

CREATE TRIGGER book_removed AFTER DELETE ON books FOR EACH ROW
    UPDATE categories SET book_count = book_count - 1
    WHERE id = OLD.category_id AND OLD.withdrawn_at IS NULL;

CREATE TRIGGER book_moved AFTER UPDATE ON books FOR EACH ROW
    UPDATE categories
    SET book_count = book_count
        + (id = NEW.category_id AND NEW.withdrawn_at IS NULL)
        - (id = OLD.category_id AND OLD.withdrawn_at IS NULL)
    WHERE (NEW.category_id <> OLD.category_id
           OR (NEW.withdrawn_at IS NULL) <> (OLD.withdrawn_at IS NULL))
      AND id IN (OLD.category_id, NEW.category_id);

-- Each change of a stock, with what was there afterwards.
CREATE TABLE stock_changes (
    id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    book_id     BIGINT UNSIGNED NOT NULL,
    delta       INT NOT NULL,
    stock_after INT UNSIGNED NOT NULL,
    reason      ENUM ('set', 'added', 'taken', 'ordered', 'returned', 'imported') NOT NULL,
    note        VARCHAR(200) NULL,
    actor_id    BIGINT UNSIGNED NULL,         -- NULL: the system
    order_id    BIGINT UNSIGNED NULL,
    at          DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    KEY by_book (book_id, id),
    CONSTRAINT stock_book FOREIGN KEY (book_id) REFERENCES books (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Who changed what; changes is {"field": [before, after], ...}.
CREATE TABLE audit (
    id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at        DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    actor_id  BIGINT UNSIGNED NULL,           -- NULL: the system
    actor     VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    act       VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    object    VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    object_id BIGINT UNSIGNED NOT NULL,
    label     VARCHAR(255) NOT NULL,          -- what it was called then
    changes   LONGTEXT NOT NULL CHECK (JSON_VALID(changes)),
    trace     CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    KEY by_object (object, object_id, id),
    KEY by_actor (actor_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Titles and prices of an order's lines are those of its day.
CREATE TABLE orders (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    number       CHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id      BIGINT UNSIGNED NOT NULL,
    state        ENUM ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded') NOT NULL DEFAULT 'pending',
    total        DECIMAL(12,2) NOT NULL,
    recipient    VARCHAR(80)  NOT NULL,
    phone        VARCHAR(32)  NOT NULL,
    postcode     VARCHAR(10)  NOT NULL,
    address      VARCHAR(255) NOT NULL,
    -- The one-time key of the form or the client, and a digest of what was
    -- asked for with it.
    once_key     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    once_digest  CHAR(32)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expires_at   DATETIME NOT NULL,           -- of a pending order
    created_at   DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    updated_at   DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    UNIQUE KEY by_number (number),
    UNIQUE KEY by_once (user_id, once_key),
    KEY by_user (user_id, id),
    KEY by_state (state, id),
    KEY expiring (state, expires_at),
    CONSTRAINT order_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE order_items (
    order_id    BIGINT UNSIGNED NOT NULL,
    book_id     BIGINT UNSIGNED NOT NULL,
    title       VARCHAR(255) NOT NULL,
    author      VARCHAR(255) NOT NULL,
    language    CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    quantity    INT UNSIGNED NOT NULL,
    unit_price  DECIMAL(10,2) NOT NULL,
    total_price DECIMAL(12,2) NOT NULL,
    PRIMARY KEY (order_id, book_id),
    CONSTRAINT item_order FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT item_book FOREIGN KEY (book_id) REFERENCES books (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE order_history (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id   BIGINT UNSIGNED NOT NULL,
    from_state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL,
    to_state   VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor_id   BIGINT UNSIGNED NULL,          -- NULL: the system
    actor      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    note       VARCHAR(200) NULL,
    at         DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    KEY by_order (order_id, id),
    CONSTRAINT history_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Attempts to pay, as the payment service answered them.
CREATE TABLE payments (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_id BIGINT UNSIGNED NOT NULL,
    result   ENUM ('approved', 'declined', 'timeout', 'refunded') NOT NULL,
    amount   DECIMAL(12,2) NOT NULL,
    at       DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    KEY by_order (order_id, id),
    CONSTRAINT payment_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- Events, written with what they tell of and delivered afterwards.
CREATE TABLE outbox (
    id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    topic        VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject      VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payload      LONGTEXT NOT NULL CHECK (JSON_VALID(payload)),
    trace        CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    span         CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at   DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    delivered_at DATETIME(3) NULL,
    KEY waiting (delivered_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

-- One row: who holds its lock delivers.  Two relays never collide, and the
-- order stays.
CREATE TABLE outbox_turn (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT INTO outbox_turn VALUES (1);

-- What the consumers of events have made of them.
CREATE TABLE events_consumed (
    consumer VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (consumer, event_id)
) ENGINE = InnoDB;

CREATE TABLE sales_days (
    day     DATE NOT NULL PRIMARY KEY,
    orders  INT UNSIGNED NOT NULL DEFAULT 0,
    copies  INT UNSIGNED NOT NULL DEFAULT 0,
    revenue DECIMAL(14,2) NOT NULL DEFAULT 0
) ENGINE = InnoDB;

CREATE TABLE sales_books (
    day     DATE NOT NULL,
    book_id BIGINT UNSIGNED NOT NULL,
    copies  INT NOT NULL DEFAULT 0,
    revenue DECIMAL(14,2) NOT NULL DEFAULT 0,
    PRIMARY KEY (day, book_id)
) ENGINE = InnoDB;
