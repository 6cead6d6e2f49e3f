//! Forms: `application/x-www-form-urlencoded`, in bodies and in queries.
//!
//! Decoding is stricter than in browsers. An invalid escape, invalid UTF-8 and a repeated parameter
//! are errors, because it is impossible to know what the sender meant.

use std::borrow::Cow;
use std::fmt;

/// A decoded form: names and values in their original order.
#[derive(Debug)]
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Decodes a body or a query.
    ///
    /// # Errors
    /// [`MalformedForm`] if an escape or a byte cannot be decoded.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, MalformedForm> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| MalformedForm::NotUtf8 { at: error.valid_up_to() })?;
        let mut pairs = Vec::new();
        let mut at = 0_usize;
        for pair in text.split('&') {
            if !pair.is_empty() {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let value_at = at.saturating_add(name.len()).saturating_add(1);
                pairs.push((decode(name, at)?, decode(value, value_at)?));
            }
            at = at.saturating_add(pair.len()).saturating_add(1);
        }
        Ok(Self { pairs })
    }

    /// All names and values.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        let pairs = self.pairs.into_iter();
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The value of the parameter that has one of these names. Names are case-sensitive.
    ///
    /// # Errors
    /// [`MalformedForm::Repeated`] if the parameter occurs more than once.
    pub fn value(&self, names: &[&'static str]) -> Result<Option<&str>, MalformedForm> {
        let known = |(name, _): &&(Cow<'_, str>, Cow<'_, str>)| names.contains(&name.as_ref());
        let mut values = self.pairs.iter().filter(known);
        match (values.next(), values.next(), names.first()) {
            (Some(_), Some(_), Some(name)) => Err(MalformedForm::Repeated { name }),
            (value, _, _) => Ok(value.map(|(_, value)| value.as_ref())),
        }
    }
}

fn decode(text: &str, at: usize) -> Result<Cow<'_, str>, MalformedForm> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut nibble =
                    || bytes.next().and_then(|(_, digit)| char::from(digit).to_digit(16));
                match (nibble(), nibble()) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => return Err(MalformedForm::BadEscape { at: at.saturating_add(offset) }),
                }
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| MalformedForm::NotUtf8 { at })
}

/// Encodes names and values as a form, joined with `=` and `&`. A space becomes `+`, and every byte
/// other than a letter, a digit or one of `*-._` becomes an escape.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A form that is invalid or ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedForm {
    /// A `%` that is not followed by two hexadecimal digits.
    BadEscape {
        /// Its byte offset.
        at: usize,
    },
    /// A name or a value that is not valid UTF-8.
    NotUtf8 {
        /// The byte offset at which it starts.
        at: usize,
    },
    /// A parameter that occurs more than once.
    Repeated {
        /// Its name, or the first of its names.
        name: &'static str,
    },
}

impl std::error::Error for MalformedForm {}

impl fmt::Display for MalformedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadEscape { at } => {
                write!(f, "the \"%\" at byte {at} is not followed by two hexadecimal digits")
            }
            Self::NotUtf8 { at } => write!(f, "the bytes from {at} on are not UTF-8"),
            Self::Repeated { name } => {
                write!(f, "the parameter {name} is given more than once")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Option<String>, MalformedForm> {
        let form = Form::decode(text.as_bytes())?;
        Ok(form.value(&["a", "A"])?.map(str::to_owned))
    }

    #[test]
    fn values_are_decoded() {
        for (text, expected) in [
            ("a=1", Some("1")),
            ("x=&&a=%28415%29+867%2e5309&", Some("(415) 867.5309")),
            ("A=%F0%9F%98%80", Some("😀")),
            ("a", Some("")),
            ("a=b=c", Some("b=c")),
            ("%61=é", Some("é")),
            ("", None),
            ("aa=1", None),
        ] {
            assert_eq!(value(text).unwrap().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ambiguous_forms_are_errors() {
        for (text, expected) in [
            ("b=&a=%", MalformedForm::BadEscape { at: 5 }),
            ("a=%4", MalformedForm::BadEscape { at: 2 }),
            ("a=1%+5", MalformedForm::BadEscape { at: 3 }),
            ("a=%é", MalformedForm::BadEscape { at: 2 }),
            ("a=%ff", MalformedForm::NotUtf8 { at: 2 }),
            ("a=1&A=2", MalformedForm::Repeated { name: "a" }),
        ] {
            assert_eq!(value(text), Err(expected), "{text}");
        }
        let error = Form::decode(b"a=\xff").unwrap_err();
        assert_eq!(error, MalformedForm::NotUtf8 { at: 2 });
    }

    #[test]
    fn unknown_parameters_may_repeat() {
        assert_eq!(value("x=1&x=2&a=3"), Ok(Some("3".into())));
    }

    #[test]
    fn encoding_round_trips() {
        for text in ["", "a b+c&d=e%", "é中😀\0\n", "*-._~"] {
            let encoded = encode([("a", text)]);
            assert_eq!(value(&encoded).unwrap().as_deref(), Some(text), "{encoded}");
        }
    }
}
