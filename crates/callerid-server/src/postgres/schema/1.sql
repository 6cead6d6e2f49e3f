-- Moments are milliseconds since 1970-01-01T00:00:00Z. Dates are seconds since then, with the
-- minutes east of UTC in an offset column. Texts that are ordered are so by their bytes.

CREATE TABLE meta (
    id                  integer PRIMARY KEY CHECK (id = 1),
    version             integer NOT NULL,
    sealed_check        bytea NOT NULL,     -- known bytes, sealed: tells another key from the right one
    page_url            text,
    line_stopped_at     bigint              -- when the operator stopped the line; null while it is not
);

-- The changes of the last minutes: whether one was committed whose COMMIT was not answered.
CREATE TABLE stamp (
    id                  uuid PRIMARY KEY,
    at                  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sid                 text COLLATE "C" NOT NULL UNIQUE,
    sealed_token        bytea NOT NULL,     -- sealed for the account's Sid
    is_sandbox          boolean NOT NULL
);

-- What changes with an account's rows. Apart from the account, so that reads of accounts do not meet
-- its many versions; with room in its pages for those.
CREATE TABLE ledger (
    account             bigint PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    caller_ids          bigint NOT NULL DEFAULT 0,
    live_calls          bigint NOT NULL DEFAULT 0,
    events              bigint NOT NULL DEFAULT 0   -- the id of the account's newest event
) WITH (fillfactor = 50);

-- The live calls of all accounts, in parts, so that not every create waits for every other.
CREATE TABLE live_calls (
    part                bigint PRIMARY KEY,
    calls               bigint NOT NULL
) WITH (fillfactor = 50);

INSERT INTO live_calls SELECT part, 0 FROM generate_series(0, 15) AS part;

CREATE TABLE caller_id (
    account             bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    rank                bigint NOT NULL,    -- the date updated, negated: ascending is newest first
    sid                 text COLLATE "C" NOT NULL,
    number              text COLLATE "C" NOT NULL,
    name                text COLLATE "C" NOT NULL,
    created             bigint NOT NULL,
    created_offset      smallint NOT NULL,
    updated_offset      smallint NOT NULL,
    PRIMARY KEY (account, sid),
    UNIQUE (account, number)
);

CREATE INDEX caller_id_place ON caller_id (account, rank, sid)
    INCLUDE (number, name, created, created_offset, updated_offset);
CREATE INDEX caller_id_name ON caller_id (account, name, rank, sid);

-- A call as a document, and the columns by which it is found.
CREATE TABLE call (
    sid                 text COLLATE "C" PRIMARY KEY,
    account             bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    number              text COLLATE "C" NOT NULL,
    created_at          bigint NOT NULL,
    wake_at             bigint,             -- null once the call has ended
    revision            bigint NOT NULL,
    document            jsonb NOT NULL,
    sealed_credentials  bytea               -- of its callback, sealed for the call's Sid
);

CREATE UNIQUE INDEX call_live_number ON call (account, number) WHERE wake_at IS NOT NULL;
CREATE INDEX call_live_wake ON call (wake_at, sid) WHERE wake_at IS NOT NULL;
CREATE INDEX call_live_created ON call (created_at) WHERE wake_at IS NOT NULL;
CREATE INDEX call_account ON call (account, created_at, sid);
CREATE INDEX call_ended ON call (account, created_at, sid) WHERE wake_at IS NULL;

CREATE TABLE callback (
    call_sid            text COLLATE "C" PRIMARY KEY,
    account             bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    receiver            text COLLATE "C",
    created_at          bigint NOT NULL,
    next_at             bigint,             -- null once it was delivered or given up
    attempts            smallint NOT NULL,
    document            jsonb NOT NULL,
    sealed_credentials  bytea
);

CREATE INDEX callback_next ON callback (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX callback_pending ON callback (account, receiver, next_at, call_sid) WHERE next_at IS NOT NULL;
CREATE INDEX callback_account ON callback (account, created_at, call_sid);
CREATE INDEX callback_done ON callback (account, created_at, call_sid) WHERE next_at IS NULL;

-- How numbers have been used, by all accounts.
CREATE TABLE number (
    number              text COLLATE "C" PRIMARY KEY,
    failed_entries      smallint NOT NULL,
    failed_at           bigint NOT NULL,
    rings               bigint NOT NULL,
    rings_since         bigint NOT NULL
);

CREATE INDEX number_rings ON number (rings_since) WHERE failed_entries = 0;
CREATE INDEX number_failed ON number (failed_entries DESC, number) WHERE failed_entries > 0;

CREATE TABLE event (
    account             bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    id                  bigint NOT NULL,
    name                text NOT NULL,
    data                text NOT NULL,
    PRIMARY KEY (account, id)
);

-- Codes, and the sessions that they are exchanged for: only the SHA-256 of each secret.
CREATE TABLE sign_in (
    secret_hash         bytea PRIMARY KEY,
    account             bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    is_session          boolean NOT NULL,
    expires_at          bigint NOT NULL
);

CREATE INDEX sign_in_account ON sign_in (account, is_session, expires_at);
CREATE INDEX sign_in_expires ON sign_in (expires_at);

-- What limits a real phone line. None of it belongs to an account, so that removing or resetting an
-- account gives nobody more calls.

-- The calls of the last day that were admitted.
CREATE TABLE line_call (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number              text COLLATE "C",   -- null once the number was cleared
    account_sid         text COLLATE "C" NOT NULL,
    at                  bigint NOT NULL
);

CREATE INDEX line_call_number ON line_call (number, at) WHERE number IS NOT NULL;
CREATE INDEX line_call_account ON line_call (account_sid, at);
CREATE INDEX line_call_at ON line_call (at);
CREATE INDEX call_live_to ON call (number) WHERE wake_at IS NOT NULL;

-- Wrong entries in all, until the number is cleared.
CREATE TABLE line_number (
    number              text COLLATE "C" PRIMARY KEY,
    wrong_entries       bigint NOT NULL
);

-- Numbers whose owners want no calls.
CREATE TABLE opt_out (
    number              text COLLATE "C" PRIMARY KEY,
    since               bigint NOT NULL
);
