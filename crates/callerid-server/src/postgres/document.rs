//! Calls and callbacks as documents, without the credentials of their callbacks, which are sealed
//! beside them.

use callerid_core::{CallSid, CallbackCredentials, StatusCallback};
use callerid_service::{Call, Callback};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::error::PostgresError;
use crate::seal::SealingKey;

/// A document, and the sealed credentials of its callback.
pub(super) type Sealed<T> = (Json<T>, Option<Vec<u8>>);

pub(super) fn of_call(key: &SealingKey, call: &Call) -> Result<Sealed<Call>, PostgresError> {
    let sealed = call.status_callback.as_ref().map(|to| seal(key, &call.sid, to)).transpose()?;
    let status_callback = call.status_callback.as_ref().map(bare);
    Ok((Json(Call { status_callback, ..call.clone() }), sealed.flatten()))
}

pub(super) fn of_callback(
    key: &SealingKey,
    callback: &Callback,
) -> Result<Sealed<Callback>, PostgresError> {
    let sealed = seal(key, &callback.call_sid, &callback.to)?;
    Ok((Json(Callback { to: bare(&callback.to), ..callback.clone() }), sealed))
}

/// The call of a row with `document` and `sealed_credentials`.
pub(super) fn call(key: &SealingKey, row: &Row) -> Result<Call, PostgresError> {
    let call: Call = document(row)?;
    let to = call.status_callback.as_ref();
    let status_callback = to.map(|to| unseal(key, &call.sid, to, row)).transpose()?;
    Ok(Call { status_callback, ..call })
}

/// The callback of such a row.
pub(super) fn callback(key: &SealingKey, row: &Row) -> Result<Callback, PostgresError> {
    let callback: Callback = document(row)?;
    let to = unseal(key, &callback.call_sid, &callback.to, row)?;
    Ok(Callback { to, ..callback })
}

/// What `read` makes of these rows, and the keys, by their column, of those that cannot be read.
pub(super) fn readable<T>(
    rows: &[Row],
    key: &str,
    read: impl Fn(&Row) -> Result<T, PostgresError>,
) -> (Vec<T>, Vec<String>) {
    let (mut found, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        match read(row) {
            Ok(it) => found.push(it),
            Err(error) => {
                let value: String = row.try_get(key).unwrap_or_default();
                tracing::error!(key, value, %error, "a row is left out");
                unreadable.push(value);
            }
        }
    }
    (found, unreadable)
}

fn document<T: DeserializeOwned>(row: &Row) -> Result<T, PostgresError> {
    let Json(value): Json<Value> = row.try_get("document")?;
    serde_json::from_value(value).map_err(|error| PostgresError::Unreadable(error.to_string()))
}

fn bare(to: &StatusCallback) -> StatusCallback {
    StatusCallback::restore(to.url(), to.method(), None)
}

fn seal(
    key: &SealingKey,
    call: &CallSid,
    to: &StatusCallback,
) -> Result<Option<Vec<u8>>, PostgresError> {
    let seal =
        |it: &CallbackCredentials| key.seal(it.expose().as_bytes(), call.as_str().as_bytes());
    to.credentials().map(seal).transpose().map_err(PostgresError::NoRandomness)
}

fn unseal(
    key: &SealingKey,
    call: &CallSid,
    to: &StatusCallback,
    row: &Row,
) -> Result<StatusCallback, PostgresError> {
    let sealed: Option<&[u8]> = row.try_get("sealed_credentials")?;
    let unseal = |sealed: &[u8]| {
        let plain = key.unseal(sealed, call.as_str().as_bytes())?;
        CallbackCredentials::parse(std::str::from_utf8(&plain).ok()?).ok()
    };
    let credentials = sealed.map(|sealed| {
        let what = || PostgresError::Sealed(format!("the callback's credentials of call {call}"));
        unseal(sealed).ok_or_else(what)
    });
    Ok(StatusCallback::restore(to.url(), to.method(), credentials.transpose()?))
}
