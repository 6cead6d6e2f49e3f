-- Several servers share the database. Each start of one is a node, as long as it renews its lease.
CREATE TABLE node (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lease_until         timestamptz NOT NULL
);

-- The oldest version of the tables whose programs can work with these.
ALTER TABLE meta ADD COLUMN oldest integer NOT NULL DEFAULT 2;

-- Each live call and each pending callback belongs to a node. None has the id 0.
ALTER TABLE call ADD COLUMN node bigint NOT NULL DEFAULT 0;
DROP INDEX call_live_wake;
CREATE INDEX call_live_wake ON call (node, wake_at, sid) WHERE wake_at IS NOT NULL;

ALTER TABLE callback ADD COLUMN node bigint NOT NULL DEFAULT 0;
DROP INDEX callback_next;
CREATE INDEX callback_next ON callback (node, next_at) WHERE next_at IS NOT NULL;

-- The node whose memory says what makes an account a sandbox.
ALTER TABLE account ADD COLUMN sandbox_of bigint;
UPDATE account SET sandbox_of = 0 WHERE is_sandbox;
ALTER TABLE account DROP COLUMN is_sandbox;
CREATE INDEX account_sandbox ON account (sandbox_of) WHERE sandbox_of IS NOT NULL;

-- The parts of the count of live calls are now those of connections.
INSERT INTO live_calls SELECT part, 0 FROM generate_series(16, 63) AS part;
