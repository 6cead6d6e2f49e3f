-- Moments are milliseconds since 1970-01-01T00:00:00Z. Dates are seconds since then, with the
-- minutes east of UTC in an offset column.

CREATE TABLE meta (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    sealed_check    BLOB NOT NULL      -- known bytes, sealed: tells another key from the right one
) STRICT;

CREATE TABLE account (
    id              INTEGER PRIMARY KEY,
    sid             TEXT NOT NULL UNIQUE,
    sealed_token    BLOB NOT NULL      -- sealed for the account's Sid
) STRICT;

-- Stored in the order of lists, so that a page is one range.
CREATE TABLE caller_id (
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    rank            INTEGER NOT NULL,  -- the date updated, negated: ascending is newest first
    sid             TEXT NOT NULL,
    number          TEXT NOT NULL,
    name            TEXT NOT NULL,
    created         INTEGER NOT NULL,
    created_offset  INTEGER NOT NULL,
    updated_offset  INTEGER NOT NULL,
    PRIMARY KEY (account, rank, sid)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX caller_id_sid ON caller_id (account, sid);
CREATE UNIQUE INDEX caller_id_number ON caller_id (account, number);
CREATE INDEX caller_id_name ON caller_id (account, name, rank, sid);

-- The number of caller IDs from one position in the list to the next one of the same level
-- (dropped in 2.sql).
CREATE TABLE caller_id_span (
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    level           INTEGER NOT NULL,
    rank            INTEGER NOT NULL,
    sid             TEXT NOT NULL,
    rows            INTEGER NOT NULL,
    PRIMARY KEY (account, level, rank, sid)
) STRICT, WITHOUT ROWID;

CREATE TABLE call (
    sid             TEXT PRIMARY KEY NOT NULL,
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    number          TEXT NOT NULL,
    name            TEXT,
    caller_id_sid   TEXT NOT NULL,
    status          TEXT NOT NULL,
    verified        INTEGER NOT NULL,
    code            TEXT,              -- null once the call has ended
    keyed           TEXT NOT NULL,
    entries_left    INTEGER NOT NULL,
    failed_entries  INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    ringing_at      INTEGER,
    answered_at     INTEGER,
    ended_at        INTEGER,
    revision        INTEGER NOT NULL,
    wake_at         INTEGER,           -- null once the call has ended
    extension       TEXT,
    callback_url    TEXT,
    callback_method TEXT
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX call_live_number ON call (account, number) WHERE wake_at IS NOT NULL;
CREATE INDEX call_live_wake ON call (wake_at, sid) WHERE wake_at IS NOT NULL;
CREATE INDEX call_live_created ON call (created_at) WHERE wake_at IS NOT NULL;
CREATE INDEX call_ended ON call (account, created_at, sid) WHERE wake_at IS NULL;

-- One row for each call that ended and requested a callback.
CREATE TABLE callback (
    call_sid        TEXT PRIMARY KEY NOT NULL,
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    url             TEXT NOT NULL,
    method          TEXT NOT NULL,
    parameters      TEXT NOT NULL,     -- form-encoded, the same at every attempt
    created_at      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    next_at         INTEGER,           -- null once it was delivered or given up
    last_status     INTEGER,
    last_error      TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX callback_next ON callback (next_at, call_sid) WHERE next_at IS NOT NULL;
CREATE INDEX callback_account ON callback (account, created_at, call_sid);
CREATE INDEX callback_done ON callback (account, created_at, call_sid) WHERE next_at IS NULL;

-- Consecutive wrong entries. A number without any has no row.
CREATE TABLE attempt (
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    number          TEXT NOT NULL,
    failed_entries  INTEGER NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: ids are never reused, even if an account is deleted with its events.
CREATE TABLE event (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    name            TEXT NOT NULL,
    data            TEXT NOT NULL
) STRICT;

CREATE INDEX event_account ON event (account, id);
