//! Codes and sessions, stored as hashes of their secrets. A fast hash is sufficient, because the
//! secrets are random.

use callerid_core::{AccountSid, AuthToken, Credentials, Moment};
use callerid_service::Account;
use deadpool_postgres::ClientWrapper;
use sha2::{Digest as _, Sha256};

use super::accounts;
use super::error::PostgresError;
use crate::seal::SealingKey;
use crate::sessions::{CODE_SECONDS, SESSION_SECONDS};

fn hash(secret: &AuthToken) -> Vec<u8> {
    Sha256::digest(secret.expose().as_bytes()).to_vec()
}

/// Adds a code for this account; `false` if the account does not exist.
pub(super) async fn add_code(
    client: &ClientWrapper,
    account: &AccountSid,
    code: &AuthToken,
    now: Moment,
) -> Result<bool, PostgresError> {
    add(client, account, code, false, CODE_SECONDS, now).await
}

async fn add(
    client: &ClientWrapper,
    account: &AccountSid,
    secret: &AuthToken,
    is_session: bool,
    seconds: u32,
    now: Moment,
) -> Result<bool, PostgresError> {
    // Those that another transaction holds are forgotten by a later one.
    let forget = "DELETE FROM sign_in WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM sign_in WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED))";
    client.execute(forget, &[&now.unix_millis()]).await?;
    let add = "INSERT INTO sign_in (secret_hash, account, is_session, expires_at)
         SELECT $2, id, $3, $4 FROM account WHERE sid = $1";
    let expires_at = now.plus_seconds(seconds).unix_millis();
    let hash = hash(secret);
    let added = client.execute(add, &[&account.as_str(), &hash, &is_session, &expires_at]).await?;
    Ok(added == 1)
}

/// Starts a session for a token, or for a code, which is then used up. Returns `false` if the
/// credentials are neither.
pub(super) async fn begin(
    client: &ClientWrapper,
    key: &SealingKey,
    credentials: &Credentials,
    session: &AuthToken,
    most: u32,
    now: Moment,
) -> Result<bool, PostgresError> {
    let Some(account) = accounts::lock(client, key, &credentials.sid).await? else {
        return Ok(false);
    };
    if account.authenticate(credentials).is_err() && !use_code(client, credentials, now).await? {
        return Ok(false);
    }
    let drop_oldest = "DELETE FROM sign_in WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM sign_in
             WHERE account = (SELECT id FROM account WHERE sid = $1) AND is_session
             ORDER BY expires_at DESC OFFSET $2))";
    let kept = i64::from(most.saturating_sub(1));
    client.execute(drop_oldest, &[&account.sid.as_str(), &kept]).await?;
    add(client, &account.sid, session, true, SESSION_SECONDS, now).await
}

async fn use_code(
    client: &ClientWrapper,
    credentials: &Credentials,
    now: Moment,
) -> Result<bool, PostgresError> {
    let remove = "DELETE FROM sign_in
         WHERE secret_hash = $1 AND account = (SELECT id FROM account WHERE sid = $2)
             AND NOT is_session AND expires_at > $3";
    let hash = hash(&credentials.auth_token);
    let removed =
        client.execute(remove, &[&hash, &credentials.sid.as_str(), &now.unix_millis()]).await?;
    Ok(removed == 1)
}

/// The account of a session; `None` if the credentials are not those of a session.
pub(super) async fn account(
    client: &ClientWrapper,
    key: &SealingKey,
    credentials: &Credentials,
    now: Moment,
) -> Result<Option<Account>, PostgresError> {
    let find = "SELECT sealed_token FROM account JOIN sign_in ON account.id = sign_in.account
         WHERE secret_hash = $1 AND sid = $2 AND is_session AND expires_at > $3";
    let find = client.prepare_cached(find).await?;
    let (sid, hash) = (&credentials.sid, hash(&credentials.auth_token));
    let row = client.query_opt(&find, &[&hash, &sid.as_str(), &now.unix_millis()]).await?;
    row.map(|row| accounts::unseal(key, sid, &row)).transpose()
}

pub(super) async fn set_page_url(client: &ClientWrapper, url: &str) -> Result<(), PostgresError> {
    client.execute("UPDATE meta SET page_url = $1", &[&url]).await?;
    Ok(())
}

pub(super) async fn page_url(client: &ClientWrapper) -> Result<Option<String>, PostgresError> {
    Ok(client.query_one("SELECT page_url FROM meta", &[]).await?.try_get(0)?)
}
