//! JavaScript objects: serialized with serde, and read by property.

use std::fmt::Display;

use js_sys::{Object, RangeError, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// Serializes a value. `None` becomes `null`.
pub(crate) fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// The property with this name, if it is a string.
pub(crate) fn text(object: &Object, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}

/// Reads a required property with `parse`. An absent property is parsed as an empty string. The
/// error message begins with the property's name.
pub(crate) fn required<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, RangeError> {
    parse(&text(object, name).unwrap_or_default()).map_err(|error| invalid(name, &error))
}

fn invalid(name: &str, error: &dyn Display) -> RangeError {
    RangeError::new(&format!("{name}: {error}"))
}

/// Like [`required`], for a property that can be absent.
pub(crate) fn optional<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    text(object, name).map(|_| required(object, name, parse)).transpose()
}

/// Like [`optional`], but an empty string counts as absent, as in the service.
pub(crate) fn nonempty<T, E: Display>(
    object: &Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, RangeError> {
    optional(object, name, |text| (!text.is_empty()).then(|| parse(text)).transpose())
        .map(Option::flatten)
}
