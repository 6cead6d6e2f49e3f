-- The user and password in a callback's URL, sealed for the call's Sid; null if there are none.
ALTER TABLE call ADD COLUMN sealed_credentials BLOB;
ALTER TABLE callback ADD COLUMN sealed_credentials BLOB;

-- The receiver's host and port. Null in older rows, which count as one receiver per account.
ALTER TABLE callback ADD COLUMN receiver TEXT;

-- The order of turns: see callbacks.rs.
DROP INDEX callback_pending;
CREATE INDEX callback_pending ON callback (account, receiver, next_at, call_sid) WHERE next_at IS NOT NULL;
