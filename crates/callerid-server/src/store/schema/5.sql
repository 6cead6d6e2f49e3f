-- The user and the password in a callback's URL, sealed for the Sid of its call; null where it has none.
ALTER TABLE call ADD COLUMN sealed_credentials BLOB;
ALTER TABLE callback ADD COLUMN sealed_credentials BLOB;

-- The host and the port that it goes to; null in rows from before, which stand for one receiver of their account.
ALTER TABLE callback ADD COLUMN receiver TEXT;

-- In the order of turns: see callbacks.rs.
DROP INDEX callback_pending;
CREATE INDEX callback_pending ON callback (account, receiver, next_at, call_sid) WHERE next_at IS NOT NULL;
