//! The JSON documents that tests send: a number or `*`, and errors that name a place.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use callerid_core::{PhoneNumber, ValidationCode};

use super::phone_script::PhoneScript;
use crate::api_error::ApiError;

/// Reads a request's body.
///
/// # Errors
/// A 400 that says what is wrong, and where: `caller_ids[3].phone_number`.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut json = serde_json::Deserializer::from_slice(body);
    let decoded = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        match &*path {
            "." | "?" => invalid(&error.inner().to_string()),
            path => invalid(&format!("{path}: {}", error.inner())),
        }
    })?;
    json.end().map_err(|error| invalid(&error.to_string()))?;
    Ok(decoded)
}

pub(super) fn invalid(detail: &str) -> ApiError {
    ApiError::http(400, &format!("Invalid document: {detail}"))
}

/// A number, in any format, or `*`: every number without an entry of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NumberOrAny {
    /// This number.
    Number(PhoneNumber),
    /// Every other number: `*`.
    Any,
}

impl From<PhoneNumber> for NumberOrAny {
    fn from(number: PhoneNumber) -> Self {
        Self::Number(number)
    }
}

impl NumberOrAny {
    pub(crate) fn parse(text: &str) -> Result<Self, callerid_core::InvalidPhoneNumber> {
        if text == "*" { Ok(Self::Any) } else { PhoneNumber::parse(text).map(Self::Number) }
    }
}

impl fmt::Display for NumberOrAny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Any => f.write_str("*"),
        }
    }
}

impl Serialize for NumberOrAny {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NumberOrAny {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, Self::parse)
    }
}

/// What is known of each number.
pub type ByNumber<T> = BTreeMap<NumberOrAny, T>;

/// The entry of a number, or the one of all numbers.
pub(crate) fn of<'a, T>(entries: &'a ByNumber<T>, number: &PhoneNumber) -> Option<&'a T> {
    entries.get(&NumberOrAny::Number(*number)).or_else(|| entries.get(&NumberOrAny::Any))
}

/// Parses a string, with the parser's own words for what is wrong.
pub(super) fn parsed<'de, T, E: fmt::Display, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PhoneNumber, D::Error> {
    parsed(deserializer, PhoneNumber::parse)
}

/// The codes that numbers get instead of random ones.
pub type Codes = ByNumber<ValidationCode>;
/// What the phones do by themselves.
pub type Phones = ByNumber<PhoneScript>;
