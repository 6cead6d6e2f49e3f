-- Checked with each call and each event that is added, these cost a tenth of it. Whoever removes an
-- account has its lock, and deletes these rows as well.
ALTER TABLE call DROP CONSTRAINT call_account_fkey;
ALTER TABLE event DROP CONSTRAINT event_account_fkey;

-- The number of a call while it is live, and who has such calls. A column of its own, because no other
-- index can be used to find a live call by its number. PostgreSQL plans a statement once, maybe when
-- few calls are live and any index looks as good, and soon many are.
ALTER TABLE call ADD COLUMN live_number text COLLATE "C"
    GENERATED ALWAYS AS (CASE WHEN wake_at IS NOT NULL THEN number END) STORED;
DROP INDEX call_live_to;
DROP INDEX call_live_number;
CREATE UNIQUE INDEX call_live_number ON call (live_number, account) WHERE live_number IS NOT NULL;

-- Older programs lock other things than these do.
ALTER TABLE meta ALTER COLUMN oldest SET DEFAULT 3;
UPDATE meta SET oldest = 3;
