//! Where a callback goes, in the columns of its call and its own: its credentials are sealed for the Sid of its call.

use callerid_core::{
    CallSid, CallbackCredentials, CallbackMethod, InvalidStatusCallback, StatusCallback,
};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use super::SqliteError;
use crate::seal::SealingKey;

/// The credentials of a call's callback, sealed.
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

/// Reads the columns of the URL, the method and the sealed credentials, which follow one another; `None` where they are
/// null. Without a key the credentials stay sealed, and are left out.
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
