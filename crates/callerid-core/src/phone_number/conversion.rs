//! Conversions to and from the `phonenumber` crate's type, behind the `phonenumber` feature.

use super::error::Problem;
use super::{InvalidPhoneNumber, PhoneNumber};
use std::fmt::Write as _;

impl From<PhoneNumber> for phonenumber::PhoneNumber {
    #[expect(
        clippy::expect_used,
        reason = "that crate makes numbers only by parsing, and it parses the E.164 form of every number, valid or not: \
                  tests/phone_number_oracle.rs tries them"
    )]
    fn from(number: PhoneNumber) -> Self {
        number.e164().as_str().parse().expect("a number in E.164")
    }
}

impl TryFrom<&phonenumber::PhoneNumber> for PhoneNumber {
    type Error = InvalidPhoneNumber;

    /// Converts a number with country code 1 and no extension. The offset in an error refers to the
    /// number's E.164 form.
    fn try_from(number: &phonenumber::PhoneNumber) -> Result<Self, InvalidPhoneNumber> {
        let mut e164 = format!("+{}", number.code().value());
        for _ in 0..number.national().zeros() {
            e164.push('0');
        }
        // Writing to a String does not fail.
        let _ = write!(e164, "{}", number.national().value());
        let converted = PhoneNumber::parse(&e164)?;
        match number.extension() {
            Some(_) => Err(InvalidPhoneNumber::new(Problem::Extension, e164.len())),
            None => Ok(converted),
        }
    }
}
