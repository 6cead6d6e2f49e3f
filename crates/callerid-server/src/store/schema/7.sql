-- A throw-away account of a test. Its owner and its end are known only to the server that made it,
-- so the next server removes it.
ALTER TABLE account ADD COLUMN is_sandbox INTEGER NOT NULL DEFAULT FALSE;
