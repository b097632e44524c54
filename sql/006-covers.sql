-- Uploaded covers.

-- The pictures that are kept, by the hash of their content.  used_at is
-- when one was uploaded last, or was taken from a book: from then on it is
-- kept for a while, even if no book shows it.  Taking one away holds its row, so that nobody uploads
-- the same at that moment.
CREATE TABLE covers (
    hash        CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    width       SMALLINT UNSIGNED NOT NULL,
    height      SMALLINT UNSIGNED NOT NULL,
    used_at DATETIME NOT NULL DEFAULT UTC_TIMESTAMP(),
    KEY by_time (used_at)
) ENGINE = InnoDB;

-- A picture that a book shows cannot be taken away; by_image finds those that
-- name one by its address.
ALTER TABLE books
    ADD CONSTRAINT book_cover FOREIGN KEY (cover) REFERENCES covers (hash),
    ADD KEY by_image (image_url(80));
