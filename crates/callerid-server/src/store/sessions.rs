//! Codes and sessions, stored as hashes of their secrets. A fast hash is sufficient, because the
//! secrets are random.

use callerid_core::{AccountSid, AuthToken, Credentials, Moment};
use callerid_service::Account;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};

use super::{SqliteError, accounts};
use crate::seal::SealingKey;
use crate::sessions::{CODE_SECONDS, SESSION_SECONDS};

fn hash(secret: &AuthToken) -> [u8; 32] {
    Sha256::digest(secret.expose().as_bytes()).into()
}

/// Adds a code for this account; `false` if the account does not exist.
pub(super) fn add_code(
    connection: &Connection,
    account: &AccountSid,
    code: &AuthToken,
    now: Moment,
) -> rusqlite::Result<bool> {
    add(connection, account, code, false, CODE_SECONDS, now)
}

fn add(
    connection: &Connection,
    account: &AccountSid,
    secret: &AuthToken,
    is_session: bool,
    seconds: u32,
    now: Moment,
) -> rusqlite::Result<bool> {
    let mut forget = connection.prepare_cached("DELETE FROM sign_in WHERE expires_at <= ?1")?;
    forget.execute([now.unix_millis()])?;
    let mut add = connection.prepare_cached(
        "INSERT INTO sign_in (secret_hash, account, is_session, expires_at)
         SELECT ?2, id, ?3, ?4 FROM account WHERE sid = ?1",
    )?;
    let row = (account.as_str(), hash(secret), is_session, now.plus_seconds(seconds).unix_millis());
    Ok(add.execute(row)? == 1)
}

/// Starts a session for a token, or for a code, which is then used up. Returns `false` if the
/// credentials are neither.
pub(super) fn begin(
    connection: &Connection,
    key: &SealingKey,
    credentials: &Credentials,
    session: &AuthToken,
    most: u32,
    now: Moment,
) -> Result<bool, SqliteError> {
    let Some(account) = accounts::find(connection, key, &credentials.sid)? else {
        return Ok(false);
    };
    if account.authenticate(credentials).is_err() && !use_code(connection, credentials, now)? {
        return Ok(false);
    }
    let mut drop_oldest = connection.prepare_cached(
        "DELETE FROM sign_in WHERE secret_hash IN (
             SELECT secret_hash FROM sign_in
             WHERE account = (SELECT id FROM account WHERE sid = ?1) AND is_session
             ORDER BY expires_at DESC LIMIT -1 OFFSET ?2)",
    )?;
    drop_oldest.execute((account.sid.as_str(), most.saturating_sub(1)))?;
    Ok(add(connection, &account.sid, session, true, SESSION_SECONDS, now)?)
}

fn use_code(
    connection: &Connection,
    credentials: &Credentials,
    now: Moment,
) -> rusqlite::Result<bool> {
    let mut remove = connection.prepare_cached(
        "DELETE FROM sign_in
         WHERE secret_hash = ?1 AND account = (SELECT id FROM account WHERE sid = ?2)
             AND NOT is_session AND expires_at > ?3",
    )?;
    let row = (hash(&credentials.auth_token), credentials.sid.as_str(), now.unix_millis());
    Ok(remove.execute(row)? == 1)
}

/// The account of a session; `None` if the credentials are not those of a session.
pub(super) fn account(
    connection: &Connection,
    key: &SealingKey,
    credentials: &Credentials,
    now: Moment,
) -> Result<Option<Account>, SqliteError> {
    let mut find = connection.prepare_cached(
        "SELECT 1 FROM sign_in
         WHERE secret_hash = ?1 AND account = (SELECT id FROM account WHERE sid = ?2)
             AND is_session AND expires_at > ?3",
    )?;
    let row = (hash(&credentials.auth_token), credentials.sid.as_str(), now.unix_millis());
    match find.query_row(row, |_| Ok(())).optional()? {
        Some(()) => accounts::find(connection, key, &credentials.sid),
        None => Ok(None),
    }
}

/// Ends an account's sessions, and deletes its codes.
pub(super) fn end(connection: &Connection, account: &AccountSid) -> rusqlite::Result<()> {
    let mut end = connection.prepare_cached(
        "DELETE FROM sign_in WHERE account = (SELECT id FROM account WHERE sid = ?1)",
    )?;
    end.execute([account.as_str()]).map(drop)
}

/// Stores the page's URL.
pub(super) fn set_page_url(connection: &Connection, url: &str) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET page_url = ?1", [url]).map(drop)
}

pub(super) fn page_url(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT page_url FROM meta", [], |row| row.get(0))
}
