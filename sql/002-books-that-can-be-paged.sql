-- A page of the list is asked for by the title or price of the last book on
-- the one before it.  Input takes no characters that end a line, hide or turn
-- the writing direction (lib/utf8.c), so at a title with one the list would
-- end for everybody; nor would a price below nothing do.
-- Control characters in an author would end the drawing of a cover.

ALTER TABLE books
    ADD CONSTRAINT book_title_is_plain CHECK (
        title NOT REGEXP '[\\x{0}-\\x{1F}\\x{7F}-\\x{9F}\\x{200B}\\x{2028}-\\x{202E}\\x{2060}-\\x{206F}\\x{3164}\\x{FEFF}\\x{FFA0}\\x{FDD0}-\\x{FDEF}\\x{FFF9}-\\x{FFFB}\\x{FFFE}\\x{FFFF}]'),
    ADD CONSTRAINT book_author_is_plain CHECK (
        author NOT REGEXP '[\\x{0}-\\x{1F}\\x{7F}-\\x{9F}]'),
    ADD CONSTRAINT book_price_is_none_below_zero CHECK (price >= 0);
