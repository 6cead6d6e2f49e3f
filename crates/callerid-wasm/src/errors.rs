//! The package's error classes, defined in `pkg/src/errors.js`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./errors.js")]
extern "C" {
    pub(crate) type InvalidDocument;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(message: &str, at: usize) -> InvalidDocument;

    pub(crate) type RestException;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(
        status: u16,
        message: &str,
        code: Option<u32>,
        more_info: Option<&str>,
    ) -> RestException;

    pub(crate) type UnexpectedResponse;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(
        status: u16,
        message: &str,
        options: Option<js_sys::ErrorOptions>,
    ) -> UnexpectedResponse;
}
