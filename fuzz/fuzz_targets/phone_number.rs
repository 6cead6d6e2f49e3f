//! Any text: parsing does not panic. A valid number is valid in every format and is not accepted
//! next to another number. An error's offset is within the text.

#![no_main]

use callerid_core::PhoneNumber;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match PhoneNumber::parse_with_extension(text) {
    Ok((number, extension)) => {
        for written in [number.as_str(), number.national().as_str(), number.e164().as_str()] {
            assert_eq!(PhoneNumber::parse(written), Ok(number));
        }
        assert_eq!(PhoneNumber::parse(text).is_err(), extension.is_some());
        assert!(PhoneNumber::parse_with_extension(&format!("{text}\n{number}")).is_err());
    }
    Err(error) => {
        assert!(text.is_char_boundary(error.at()));
        assert!(error.to_string().len() < 300);
    }
});
