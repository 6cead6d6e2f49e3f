//! The few classes of JavaScript that the bindings make. (The crate js-sys has them all, and its own exports with them.)

use std::fmt;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An array of anything.
    #[derive(Clone, Debug)]
    pub type Array;

    #[wasm_bindgen(constructor)]
    fn new() -> Array;

    #[wasm_bindgen(method)]
    fn push(this: &Array, value: &JsValue);
}

impl Array {
    /// An array of these.
    pub fn of(values: &[JsValue]) -> Self {
        let array = Self::new();
        for value in values {
            array.push(value);
        }
        array
    }

    /// One more at its end.
    pub fn add(&self, value: impl Into<JsValue>) {
        self.push(&value.into());
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
pub fn range_error(error: impl fmt::Display) -> RangeError {
    RangeError::new(&error.to_string())
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
