//! Standard library conversions for types that are texts with rules.

/// Implements `FromStr` and `TryFrom<&str>` for a type, given its parse method.
macro_rules! from_text {
    ($type:ty, $parse:ident, $error:ty) => {
        #[doc = concat!("As [`", stringify!($parse), "`](Self::", stringify!($parse), ").")]
        impl std::str::FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::$parse(text)
            }
        }

        #[doc = concat!("As [`", stringify!($parse), "`](Self::", stringify!($parse), ").")]
        impl TryFrom<&str> for $type {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, $error> {
                Self::$parse(text)
            }
        }
    };
}

/// Implements `AsRef<str>` and `Display` for a type with a method `as_str`.
macro_rules! to_text {
    ($type:ty) => {
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use {from_text, to_text};

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use crate::representation::Representation;
    use crate::{
        AccountSid, ApiVersion, AuthToken, CallDelay, CallExtension, CallSid, CallbackMethod,
        CallerIdSid, Date, FriendlyName, PageSize, RequestSid, ValidationCode,
    };

    fn reads<T>(text: &str, wrong: &str) -> T
    where
        T: FromStr<Err: std::error::Error + PartialEq> + PartialEq + Debug,
        T: for<'a> TryFrom<&'a str, Error = T::Err>,
    {
        let value: T = text.parse().unwrap();
        assert_eq!(T::try_from(text).as_ref(), Ok(&value));
        assert_eq!(T::try_from(wrong), wrong.parse::<T>());
        assert!(wrong.parse::<T>().is_err(), "{wrong}");
        value
    }

    fn is_written<T: AsRef<str> + Display>(value: T, text: &str) {
        assert_eq!(value.as_ref(), text);
        assert_eq!(value.to_string(), text);
        assert_eq!(format!("{value:>40}").trim_start(), text);
    }

    #[test]
    fn a_text_is_read_and_written_by_the_standard_librarys_traits() {
        let hex = "309475e5fede1b49e100272a8640f438";
        is_written(reads::<AccountSid>(&format!("AC{hex}"), hex), &format!("AC{hex}"));
        is_written(reads::<CallerIdSid>(&format!("PN{hex}"), hex), &format!("PN{hex}"));
        is_written(reads::<CallSid>(&format!("CA{hex}"), hex), &format!("CA{hex}"));
        is_written(reads::<RequestSid>(&format!("RQ{hex}"), hex), &format!("RQ{hex}"));
        is_written(reads::<FriendlyName>("Bob", "\0"), "Bob");
        is_written(reads::<CallExtension>("1w2", ""), "1w2");
        for version in ApiVersion::ALL {
            is_written(reads::<ApiVersion>(version.as_str(), "2010"), version.as_str());
        }
        for method in CallbackMethod::ALL {
            is_written(reads::<CallbackMethod>(method.as_str(), "get"), method.as_str());
        }
        for representation in Representation::ALL {
            let text = representation.as_str();
            is_written(reads::<Representation>(text, ".xml"), text);
        }
    }

    #[test]
    fn numbers_and_dates_have_no_text_of_their_own_to_refer_to() {
        assert_eq!(reads::<CallDelay>("007", "61").to_string(), "7");
        assert_eq!(reads::<PageSize>("50", "0").to_string(), "50");
        let date = "Tue, 01 Apr 2008 11:26:32 -0700";
        assert_eq!(reads::<Date>(date, "2008").to_string(), date);
    }

    #[test]
    fn secrets_are_read_but_not_written() {
        assert_eq!(reads::<ValidationCode>("012345", "12345").expose(), "012345");
        assert_eq!(reads::<AuthToken>("secret", "with space").expose(), "secret");
    }
}
