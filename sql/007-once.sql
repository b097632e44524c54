-- A form's one-time key with something else in the form is a mistake: digest is
-- of what was asked for first.  Rows of before have none, and let all pass.
ALTER TABLE once
    ADD COLUMN digest CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL;
