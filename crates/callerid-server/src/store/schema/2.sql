-- How many caller IDs an account has is counted as they come and go, and lists are read from the place of a row on.
DROP TABLE caller_id_span;

ALTER TABLE account ADD COLUMN caller_ids INTEGER NOT NULL DEFAULT 0;
UPDATE account
SET caller_ids = (SELECT count(*) FROM caller_id WHERE caller_id.account = account.id);

-- The order of lists without the rows: the place of a page that is asked for by its number is stepped to here.
CREATE INDEX caller_id_place ON caller_id (account, rank, sid);
