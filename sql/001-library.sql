-- The library: who may come in, what stands on the shelves.
-- Times are UTC; money is DECIMAL(10,2) won.

CREATE TABLE users (
    id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username      VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    name          VARCHAR(80)  NOT NULL,
    password_hash VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    role          ENUM ('reader', 'student', 'librarian', 'admin') NOT NULL DEFAULT 'reader',
    lang          CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NULL,
    locked        BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    updated_at    DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    UNIQUE KEY by_username (username)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE categories (
    id         INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    parent_id  INT UNSIGNED NULL,
    slug       VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name_ko    VARCHAR(80) NOT NULL,
    name_en    VARCHAR(80) NOT NULL,
    position   SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    -- Books directly in this category; kept true by the triggers below, so
    -- that the tree with its counts costs the same at a million books.
    book_count INT UNSIGNED NOT NULL DEFAULT 0,
    UNIQUE KEY by_slug (slug),
    KEY by_parent (parent_id, position),
    CONSTRAINT category_parent FOREIGN KEY (parent_id) REFERENCES categories (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE books (
    id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    category_id    INT UNSIGNED NOT NULL,
    title          VARCHAR(255) NOT NULL,
    author         VARCHAR(255) NOT NULL,
    publisher      VARCHAR(255) NULL,
    published_year SMALLINT NULL,             -- negative: before the common era
    isbn13         CHAR(13) CHARACTER SET ascii COLLATE ascii_bin NULL,
    language       CHAR(2)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'ko',
    description    TEXT NULL,
    price          DECIMAL(10,2) NOT NULL,
    stock_quantity INT UNSIGNED NOT NULL DEFAULT 0,
    image_url      VARCHAR(500) NULL,
    created_at     DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    updated_at     DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    UNIQUE KEY by_isbn13 (isbn13),
    -- One index for each order of the list, whole and within a category; the
    -- id makes each order total, which keyset paging needs.
    KEY by_title (title, id),
    KEY by_newest (created_at, id),
    KEY by_price (price, id),
    KEY category_by_title (category_id, title, id),
    KEY category_by_newest (category_id, created_at, id),
    KEY category_by_price (category_id, price, id),
    CONSTRAINT book_category FOREIGN KEY (category_id) REFERENCES categories (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TRIGGER book_added AFTER INSERT ON books FOR EACH ROW
    UPDATE categories SET book_count = book_count + 1 WHERE id = NEW.category_id;

CREATE TRIGGER book_removed AFTER DELETE ON books FOR EACH ROW
    UPDATE categories SET book_count = book_count - 1 WHERE id = OLD.category_id;

CREATE TRIGGER book_moved AFTER UPDATE ON books FOR EACH ROW
    UPDATE categories
    SET book_count = IF(id = NEW.category_id, book_count + 1, book_count - 1)
    WHERE NEW.category_id <> OLD.category_id
      AND id IN (OLD.category_id, NEW.category_id);
