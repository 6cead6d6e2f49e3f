-- Signing in to the page.

-- Codes, and the sessions that they are exchanged for. Only the SHA-256 of each secret is stored.
CREATE TABLE sign_in (
    secret_hash     BLOB PRIMARY KEY NOT NULL,
    account         INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    is_session      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_account ON sign_in (account, is_session, expires_at);
CREATE INDEX sign_in_expires ON sign_in (expires_at);

-- The page's URL on the server that was started last.
ALTER TABLE meta ADD COLUMN page_url TEXT;
