//! A callback's destination in the columns of its call and callback. Its credentials are sealed for
//! the call's Sid.

use callerid_core::{
    CallSid, CallbackCredentials, CallbackMethod, InvalidStatusCallback, StatusCallback,
};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use super::SqliteError;
use crate::seal::SealingKey;

/// Seals the credentials of a call's callback.
pub(super) fn seal(
    key: &SealingKey,
    call: &CallSid,
    callback: Option<&StatusCallback>,
) -> Result<Option<Vec<u8>>, SqliteError> {
    let credentials = callback.and_then(StatusCallback::credentials);
    let seal =
        |it: &CallbackCredentials| key.seal(it.expose().as_bytes(), call.as_str().as_bytes());
    credentials.map(seal).transpose().map_err(SqliteError::NoRandomness)
}

/// Reads three consecutive columns: the URL, the method and the sealed credentials. Returns `None`
/// if they are null. Without a key, the result has no credentials.
pub(super) fn read(
    row: &Row<'_>,
    url: usize,
    key: Option<&SealingKey>,
    call: &CallSid,
) -> rusqlite::Result<Option<StatusCallback>> {
    let (method, credentials) = (url + 1, url + 2);
    let Some(name) = row.get_ref(method)?.as_str_or_null()? else { return Ok(None) };
    let method = CallbackMethod::parse(name).unwrap_or_default();
    let unseal = |(key, sealed): (&SealingKey, &[u8])| {
        let plain = key.unseal(sealed, call.as_str().as_bytes()).unwrap_or_default();
        let text = std::str::from_utf8(&plain).map_err(|_| InvalidStatusCallback::Credentials);
        text.and_then(CallbackCredentials::parse).map_err(|error| {
            Error::FromSqlConversionFailure(credentials, Type::Blob, Box::new(error))
        })
    };
    let sealed = row.get_ref(credentials)?.as_blob_or_null()?;
    let credentials = key.zip(sealed).map(unseal).transpose()?;
    Ok(Some(StatusCallback::restore(row.get_ref(url)?.as_str()?, method, credentials)))
}
