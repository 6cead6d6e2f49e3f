//! Objects, read and written by serde.

use std::fmt::Display;

use js_sys::RangeError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// Reads an object.
pub(crate) fn read<T: DeserializeOwned>(object: JsValue) -> Result<T, RangeError> {
    serde_wasm_bindgen::from_value(object).map_err(|error| RangeError::new(&error.to_string()))
}

/// Writes an object, `None` as `null`.
pub(crate) fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// A value that was read of a member, or why it is not one, behind the member's name.
pub(crate) fn member<T>(name: &str, parsed: Result<T, impl Display>) -> Result<T, RangeError> {
    parsed.map_err(|error| RangeError::new(&format!("{name}: {error}")))
}

/// As [`member`], for a member that need not be there.
pub(crate) fn optional<T, E: Display>(
    name: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    text.map(|text| member(name, parse(text))).transpose()
}

/// As [`optional`], for a member whose empty text stands for none, as it does for the service.
pub(crate) fn nonempty<T, E: Display>(
    name: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    optional(name, text.filter(|text| !text.is_empty()), parse)
}
