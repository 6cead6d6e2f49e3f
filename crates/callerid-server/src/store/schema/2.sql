-- The number of an account's caller IDs is updated with every change, and lists are read from a
-- row's position.
DROP TABLE caller_id_span;

ALTER TABLE account ADD COLUMN caller_ids INTEGER NOT NULL DEFAULT 0;
UPDATE account
SET caller_ids = (SELECT count(*) FROM caller_id WHERE caller_id.account = account.id);

-- The order of lists without the rows, to step to the position of a page that is selected by
-- number.
CREATE INDEX caller_id_place ON caller_id (account, rank, sid);
