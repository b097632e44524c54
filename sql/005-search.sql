-- Search: each book once as folded text, and under each piece of that text.
-- lib/search.c writes both; doc/search.md says why they are so.

-- words: " title| author| publisher", folded, a space before each word.
-- initials: the initial consonants of the same without spaces.
-- The rest are the facts that lists of hits are sorted into.
CREATE TABLE book_search (
    book_id        BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    words          VARCHAR(2000) COLLATE utf8mb4_bin NOT NULL,
    initials       VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    isbn13         CHAR(13) CHARACTER SET ascii COLLATE ascii_bin NULL,
    category_id    INT UNSIGNED NOT NULL,
    language       CHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    published_year SMALLINT NULL,
    price          DECIMAL(10,2) NOT NULL,
    in_stock       BOOLEAN NOT NULL,
    CONSTRAINT search_book FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;

CREATE TABLE book_grams (
    gram    VARBINARY(15) NOT NULL,
    book_id INT UNSIGNED NOT NULL,
    PRIMARY KEY (gram, book_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Whoever changes a price, sells a last copy or withdraws a book need not
-- know of search.
CREATE TRIGGER book_facts_changed AFTER UPDATE ON books FOR EACH ROW
    IF NEW.withdrawn_at IS NOT NULL THEN DELETE FROM book_search WHERE book_id = NEW.id; ELSEIF NEW.category_id <> OLD.category_id OR NEW.language <> OLD.language OR NOT (NEW.published_year <=> OLD.published_year) OR NEW.price <> OLD.price OR (NEW.stock_quantity > 0) <> (OLD.stock_quantity > 0) THEN
        UPDATE book_search SET category_id = NEW.category_id, language = NEW.language, published_year = NEW.published_year, price = NEW.price, in_stock = NEW.stock_quantity > 0 WHERE book_id = NEW.id; END IF;
