//! Any bytes: decoding does not panic, and a decoded document survives encoding and decoding.

#![no_main]

use callerid_core::ApiVersion;
use callerid_core::representation::{Representation, xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match xml::decode(bytes) {
    Ok(decoded) => {
        let written = Representation::Xml.encode(ApiVersion::V2008, &decoded.as_document());
        assert!(xml::decode(&written).is_ok());
    }
    Err(error) => assert!(error.at() <= bytes.len()),
});
