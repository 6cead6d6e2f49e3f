//! Objects, written by serde and read by their members.

use std::fmt::Display;

use js_sys::{Object, RangeError, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// Writes an object, `None` as `null`.
pub(crate) fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// The member with that name, if it is a text.
pub(crate) fn text(object: &Object, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}

/// The member with that name, read by `parse`; an absent one is read as the empty text. What `parse` says is behind the
/// member's name in the error.
pub(crate) fn required<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, RangeError> {
    parse(&text(object, name).unwrap_or_default())
        .map_err(|error| RangeError::new(&format!("{name}: {error}")))
}

/// As [`required`], for a member that need not be there.
pub(crate) fn optional<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    text(object, name).map(|_| required(object, name, parse)).transpose()
}

/// As [`optional`], for a member whose empty text stands for none, as it does for the service.
pub(crate) fn nonempty<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    optional(object, name, |text| (!text.is_empty()).then(|| parse(text)).transpose())
        .map(Option::flatten)
}
