-- What limits a real phone line. None of it belongs to an account, so that removing or resetting an
-- account gives nobody more calls.

-- The calls of the last day that were admitted.
CREATE TABLE line_call (
    id              INTEGER PRIMARY KEY,
    number          TEXT,              -- null once the number was cleared
    account_sid     TEXT NOT NULL,
    at              INTEGER NOT NULL
) STRICT;

CREATE INDEX line_call_number ON line_call (number, at) WHERE number IS NOT NULL;
CREATE INDEX line_call_account ON line_call (account_sid, at);
CREATE INDEX line_call_at ON line_call (at);

-- Wrong entries in all, until the number is cleared.
CREATE TABLE line_number (
    number          TEXT PRIMARY KEY NOT NULL,
    wrong_entries   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers whose owners want no calls.
CREATE TABLE opt_out (
    number          TEXT PRIMARY KEY NOT NULL,
    since           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When the operator stopped the line; null while it is not stopped.
ALTER TABLE meta ADD COLUMN line_stopped_at INTEGER;

CREATE INDEX call_live_to ON call (number) WHERE wake_at IS NOT NULL;
