-- The values that limits are checked against.

-- Wrong entries and calls count per number, regardless of the account.
CREATE TABLE number (
    number          TEXT PRIMARY KEY NOT NULL,
    failed_entries  INTEGER NOT NULL,  -- in a row
    failed_at       INTEGER NOT NULL,  -- the last of them
    rings           INTEGER NOT NULL,  -- calls since then:
    rings_since     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX number_failed ON number (failed_entries) WHERE failed_entries > 0;
CREATE INDEX number_rings ON number (rings_since) WHERE failed_entries = 0;

INSERT INTO number (number, failed_entries, failed_at, rings, rings_since)
SELECT number, min(sum(failed_entries), 255), 0, 0, 0 FROM attempt GROUP BY number;
DROP TABLE attempt;

-- The order of pages.
CREATE INDEX call_place ON call (account, created_at, sid);

-- The number of live calls is updated when calls start and end.
ALTER TABLE account ADD COLUMN live_calls INTEGER NOT NULL DEFAULT 0;
UPDATE account SET live_calls =
    (SELECT count(*) FROM call WHERE call.account = account.id AND wake_at IS NOT NULL);

CREATE TABLE total (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    live_calls      INTEGER NOT NULL
) STRICT;

INSERT INTO total (id, live_calls) SELECT 1, count(*) FROM call WHERE wake_at IS NOT NULL;

CREATE TRIGGER call_begun AFTER INSERT ON call WHEN new.wake_at IS NOT NULL
BEGIN
    UPDATE account SET live_calls = live_calls + 1 WHERE id = new.account;
    UPDATE total SET live_calls = live_calls + 1;
END;

CREATE TRIGGER call_ended AFTER UPDATE OF wake_at ON call
WHEN old.wake_at IS NOT NULL AND new.wake_at IS NULL
BEGIN
    UPDATE account SET live_calls = live_calls - 1 WHERE id = new.account;
    UPDATE total SET live_calls = live_calls - 1;
END;

CREATE TRIGGER call_deleted AFTER DELETE ON call WHEN old.wake_at IS NOT NULL
BEGIN
    UPDATE account SET live_calls = live_calls - 1 WHERE id = old.account;
    UPDATE total SET live_calls = live_calls - 1;
END;

CREATE INDEX callback_pending ON callback (account) WHERE next_at IS NOT NULL;
