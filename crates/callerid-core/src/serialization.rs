//! serde for the domain types, behind the feature `serde`: each as its text, and read through its parser,
//! so that what is read is valid. (Structs of them derive it where they are defined.) The number in a resource is
//! [`restored`]: it was valid when the resource came to be.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    AccountSid, CallDelay, CallSid, CallStatus, CallerIdSid, Date, FriendlyName, PageSize,
    PhoneNumber, ValidationCode,
};

macro_rules! as_text {
    ($type:ty, $to_text:expr, $parse:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to_text: fn(&$type) -> Cow<'_, str> = $to_text;
                serializer.serialize_str(&to_text(self))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $parse(&<Cow<'de, str>>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

as_text!(AccountSid, |sid| sid.as_str().into(), AccountSid::parse);
as_text!(CallerIdSid, |sid| sid.as_str().into(), CallerIdSid::parse);
as_text!(CallSid, |sid| sid.as_str().into(), CallSid::parse);
as_text!(FriendlyName, |name| name.as_str().into(), FriendlyName::new);
as_text!(PhoneNumber, |number| number.as_str().into(), PhoneNumber::parse);
as_text!(Date, |date| date.to_string().into(), Date::parse);
as_text!(ValidationCode, |code| code.expose().into(), ValidationCode::parse);
as_text!(CallStatus, |status| status.as_str().into(), |word: &str| {
    CallStatus::parse(word).ok_or("no status of a call")
});

/// Reads the number of a resource with [`PhoneNumber::restore`].
pub(crate) fn restored<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PhoneNumber, D::Error> {
    let text = <Cow<'de, str>>::deserialize(deserializer)?;
    PhoneNumber::restore(&text).map_err(D::Error::custom)
}

macro_rules! as_number {
    ($type:ty, $number:ty, $to_number:expr, $new:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to_number: fn($type) -> $number = $to_number;
                to_number(*self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $new(<$number>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

as_number!(CallDelay, u8, CallDelay::seconds, CallDelay::new);
as_number!(PageSize, u32, PageSize::rows, PageSize::new);

#[cfg(test)]
mod tests {
    use crate::{
        AccountSid, CallDelay, CallStatus, CallerIdSid, Date, FriendlyName, OutgoingCallerId, Page,
        PageSize, PhoneNumber, ValidationCode, ValidationRequest,
    };
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{from_value, json, to_value};

    fn caller_id() -> OutgoingCallerId {
        OutgoingCallerId {
            sid: CallerIdSid::parse("PNe536dfda7c6184afab78d980cb8cdf43").unwrap(),
            account_sid: AccountSid::parse("AC309475e5fede1b49e100272a8640f438").unwrap(),
            friendly_name: FriendlyName::new("Bob \"B\" \u{1f4de}").unwrap(),
            phone_number: PhoneNumber::parse("4158675309").unwrap(),
            date_created: Date::parse("Tue, 01 Apr 2008 11:26:32 -0700").unwrap(),
            date_updated: Date::parse("Tue, 01 Apr 2008 11:26:32 -0700").unwrap(),
        }
    }

    fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let written = to_value(&value).unwrap();
        assert_eq!(from_value::<T>(written.clone()).unwrap(), value, "{written}");
        // Also through a reader that has no text to borrow from.
        let bytes = serde_json::to_vec(&value).unwrap();
        assert_eq!(serde_json::from_reader::<_, T>(&*bytes).unwrap(), value);
    }

    #[test]
    fn a_caller_id_is_its_properties_as_text() {
        assert_eq!(
            to_value(caller_id()).unwrap(),
            json!({
                "sid": "PNe536dfda7c6184afab78d980cb8cdf43",
                "account_sid": "AC309475e5fede1b49e100272a8640f438",
                "friendly_name": "Bob \"B\" \u{1f4de}",
                "phone_number": "4158675309",
                "date_created": "Tue, 01 Apr 2008 11:26:32 -0700",
                "date_updated": "Tue, 01 Apr 2008 11:26:32 -0700",
            })
        );
    }

    #[test]
    fn what_is_written_is_read() {
        comes_back(caller_id());
        // Withdrawn from the numbering plan since.
        let phone_number = PhoneNumber::restore("2215550123").unwrap();
        comes_back(OutgoingCallerId { phone_number, ..caller_id() });
        comes_back(Page { items: vec![caller_id()], number: 2, size: 50, total: 101, more: false });
        comes_back(PageSize::default());
        comes_back(CallDelay::new(60).unwrap());
        comes_back(CallStatus::NoAnswer);
        comes_back(ValidationRequest {
            account_sid: caller_id().account_sid,
            call_sid: None,
            phone_number: caller_id().phone_number,
            friendly_name: None,
            validation_code: ValidationCode::parse("042917").unwrap(),
        });
    }

    #[test]
    fn what_is_read_is_valid() {
        assert!(from_value::<CallDelay>(json!(61)).is_err());
        assert!(from_value::<PageSize>(json!(0)).is_err());
        assert!(from_value::<CallerIdSid>(json!("PN")).is_err());
        assert!(from_value::<FriendlyName>(json!("x".repeat(65))).is_err());
        assert!(from_value::<ValidationCode>(json!("12345")).is_err());
        assert!(from_value::<CallStatus>(json!("Queued")).is_err());
        assert!(from_value::<Date>(json!("2008-04-01")).is_err());
        assert!(from_value::<PhoneNumber>(json!("415-555-121")).is_err());
        assert!(from_value::<PhoneNumber>(json!("2215550123")).is_err());
    }
}
