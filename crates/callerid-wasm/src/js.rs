//! The little of JavaScript that the bindings need, so made that a crossing compiles to little code. (The crate js-sys has
//! it all, and its own exports with it.)

use std::fmt;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object whose members are texts or `undefined`.
    #[derive(Clone, Debug)]
    pub type Texts;

    #[wasm_bindgen(js_namespace = Reflect, js_name = get)]
    fn member(of: &Texts, name: &str) -> Option<String>;
}

impl Texts {
    /// The member with that name.
    pub fn get(&self, name: &str) -> Option<String> {
        member(self, name)
    }

    /// The member with that name, read by `parse`; `None` where there is none.
    ///
    /// # Errors
    /// What `parse` says, behind the member's name.
    pub fn read<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, RangeError> {
        match self.get(name) {
            Some(text) => parse(&text).map(Some).map_err(|error| invalid(name, &error)),
            None => Ok(None),
        }
    }

    /// As [`read`](Self::read), for a member whose empty text stands for none, as it does for the service.
    ///
    /// # Errors
    /// What `parse` says, behind the member's name.
    pub fn given<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, RangeError> {
        let parse = |text: &str| (!text.is_empty()).then(|| parse(text)).transpose();
        self.read(name, parse).map(Option::flatten)
    }

    /// As [`read`](Self::read), for a member that must be there: an absent one is read as the empty text.
    ///
    /// # Errors
    /// What `parse` says, behind the member's name.
    pub fn required<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, RangeError> {
        parse(&self.get(name).unwrap_or_default()).map_err(|error| invalid(name, &error))
    }
}

#[wasm_bindgen]
extern "C" {
    /// An array of anything.
    #[derive(Clone, Debug)]
    pub type Array;

    #[wasm_bindgen(constructor)]
    fn new() -> Array;

    #[wasm_bindgen(method, js_name = push)]
    fn push_text(this: &Array, value: Option<&str>);

    #[wasm_bindgen(method, js_name = push)]
    fn push_number(this: &Array, value: Option<f64>);

    #[wasm_bindgen(method, js_name = push)]
    fn push_value(this: &Array, value: JsValue);
}

impl Array {
    /// An array that begins so.
    pub fn of(text: &str) -> Self {
        Self::empty().text(text)
    }

    /// An empty array.
    pub fn empty() -> Self {
        Self::new()
    }

    /// With a text at its end.
    pub fn text(self, text: &str) -> Self {
        self.optional_text(Some(text))
    }

    /// With a text at its end, or `undefined`.
    pub fn optional_text(self, text: Option<&str>) -> Self {
        self.push_text(text);
        self
    }

    /// With a number at its end.
    pub fn number(self, number: f64) -> Self {
        self.optional_number(Some(number))
    }

    /// With a number at its end, or `undefined`.
    pub fn optional_number(self, number: Option<f64>) -> Self {
        self.push_number(number);
        self
    }

    /// With anything else at its end.
    pub fn value(self, value: impl Into<JsValue>) -> Self {
        self.push_value(value.into());
        self
    }
}

#[wasm_bindgen]
extern "C" {
    /// What is thrown where an argument cannot be.
    #[derive(Clone, Debug)]
    pub type RangeError;

    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> RangeError;
}

/// An error with that message.
pub fn range_error(message: &str) -> RangeError {
    RangeError::new(message)
}

/// Texts one after another, as a message. (`concat` is for slices of anything, and `format!` for values of any kind.)
pub fn joined(texts: &[&str]) -> String {
    let mut joined = String::new();
    texts.iter().for_each(|text| joined.push_str(text));
    joined
}

/// Why an argument is refused, where the core has no error for it.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn invalid(name: &str, error: &dyn fmt::Display) -> RangeError {
    range_error(&joined(&[name, ": ", &error.to_string()]))
}

#[wasm_bindgen]
extern "C" {
    /// Bytes.
    #[derive(Clone, Debug)]
    pub type Uint8Array;

    /// A copy of these, which are a view of the module's memory on the other side.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Uint8Array;
}
