//! Accounts: their Sids, and their sealed tokens.

use callerid_core::{AccountSid, AuthToken};
use callerid_service::Account;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::error::PostgresError;
use super::parsed;
use crate::seal::SealingKey;

/// Seals an account's token for its Sid.
pub(super) fn seal(key: &SealingKey, account: &Account) -> Result<Vec<u8>, PostgresError> {
    let (token, sid) = (account.auth_token.expose().as_bytes(), account.sid.as_str().as_bytes());
    key.seal(token, sid).map_err(PostgresError::NoRandomness)
}

/// The account of a row with `sealed_token`.
pub(super) fn unseal(
    key: &SealingKey,
    sid: &AccountSid,
    row: &Row,
) -> Result<Account, PostgresError> {
    let token = key.unseal(row.try_get("sealed_token")?, sid.as_str().as_bytes());
    let token = token.and_then(|token| AuthToken::new(std::str::from_utf8(&token).ok()?).ok());
    let auth_token =
        token.ok_or_else(|| PostgresError::Sealed(format!("the token of account {sid}")))?;
    Ok(Account { sid: *sid, auth_token })
}

pub(super) async fn find(
    client: &ClientWrapper,
    key: &SealingKey,
    sid: &AccountSid,
) -> Result<Option<Account>, PostgresError> {
    let find = client.prepare_cached("SELECT sealed_token FROM account WHERE sid = $1").await?;
    let row = client.query_opt(&find, &[&sid.as_str()]).await?;
    row.map(|row| unseal(key, sid, &row)).transpose()
}

pub(super) async fn list(client: &ClientWrapper) -> Result<Vec<AccountSid>, PostgresError> {
    let list = client.prepare_cached("SELECT sid FROM account ORDER BY id").await?;
    let rows = client.query(&list, &[]).await?;
    rows.iter().map(|row| parsed(row, "sid", AccountSid::parse)).collect()
}

/// The sandboxes of a node.
pub(super) async fn sandboxes(
    client: &ClientWrapper,
    node: i64,
) -> Result<Vec<AccountSid>, PostgresError> {
    let list = "SELECT sid FROM account WHERE sandbox_of = $1 ORDER BY id";
    let rows = client.query(&client.prepare_cached(list).await?, &[&node]).await?;
    rows.iter().map(|row| parsed(row, "sid", AccountSid::parse)).collect()
}

/// The account with this Sid, whose token nobody replaces until the end of the transaction.
pub(super) async fn lock(
    client: &ClientWrapper,
    key: &SealingKey,
    sid: &AccountSid,
) -> Result<Option<Account>, PostgresError> {
    let lock = "SELECT sealed_token FROM account WHERE sid = $1 FOR NO KEY UPDATE";
    let row = client.query_opt(&client.prepare_cached(lock).await?, &[&sid.as_str()]).await?;
    row.map(|row| unseal(key, sid, &row)).transpose()
}

/// Adds an account, or the sandbox of a node.
pub(super) async fn add(
    client: &ClientWrapper,
    sid: &AccountSid,
    sealed: &[u8],
    sandbox_of: Option<i64>,
) -> Result<bool, PostgresError> {
    let add =
        "WITH added AS (INSERT INTO account (sid, sealed_token, sandbox_of) VALUES ($1, $2, $3)
                   ON CONFLICT (sid) DO NOTHING RETURNING id)
               INSERT INTO ledger (account) SELECT id FROM added";
    let add = client.prepare_cached(add).await?;
    Ok(client.execute(&add, &[&sid.as_str(), &sealed, &sandbox_of]).await? == 1)
}

/// Replaces an account's token, and ends its sessions.
pub(super) async fn rotate(
    client: &ClientWrapper,
    sid: &AccountSid,
    sealed: &[u8],
) -> Result<bool, PostgresError> {
    // First the account, so that a session that is being started with the old token ends too.
    let rotate = "UPDATE account SET sealed_token = $2 WHERE sid = $1";
    let rotated = client.execute(rotate, &[&sid.as_str(), &sealed]).await? == 1;
    let end = "DELETE FROM sign_in WHERE account = (SELECT id FROM account WHERE sid = $1)";
    client.execute(end, &[&sid.as_str()]).await?;
    Ok(rotated)
}
