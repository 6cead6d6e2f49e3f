//! Seeds: what an account begins with.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use callerid_core::{
    AccountSid, CallerIdSid, Date, FriendlyName, Moment, OutgoingCallerId, PhoneNumber,
    ValidationCode,
};

use super::document::{self, Codes, NumberOrAny, Phones, invalid};
use super::phone_script::PhoneScript;
use crate::api_error::ApiError;
use crate::random_bytes::RandomBytes;

/// Caller IDs, codes and scripts: the document of `POST seed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `caller_ids`, `codes` and `phones`")]
pub struct Seed {
    #[serde(default)]
    caller_ids: Vec<SeedCallerId>,
    #[serde(default)]
    pub(crate) codes: Codes,
    #[serde(default)]
    pub(crate) phones: Phones,
}

/// A caller ID of a [`Seed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedCallerId {
    /// The number.
    #[serde(deserialize_with = "document::number")]
    pub phone_number: PhoneNumber,
    /// Its name; if absent, the default name of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<FriendlyName>,
    /// Its Sid; if absent, a random one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<CallerIdSid>,
    /// When it was created; if absent, now.
    #[serde(default, deserialize_with = "date", skip_serializing_if = "Option::is_none")]
    pub date_created: Option<Date>,
    /// When it was changed; if absent, when it was created.
    #[serde(default, deserialize_with = "date", skip_serializing_if = "Option::is_none")]
    pub date_updated: Option<Date>,
}

impl From<PhoneNumber> for SeedCallerId {
    fn from(phone_number: PhoneNumber) -> Self {
        Self {
            phone_number,
            friendly_name: None,
            sid: None,
            date_created: None,
            date_updated: None,
        }
    }
}

/// A date as the API writes it, or as the control surface does.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let parse = |text: &str| match Moment::from_rfc3339(text) {
        Ok(moment) => Ok(moment.to_date()),
        Err(_) => Date::parse(text),
    };
    document::parsed(deserializer, parse).map(Some)
}

impl Seed {
    /// Adds caller IDs.
    #[must_use]
    pub fn with_caller_ids<T: Into<SeedCallerId>>(
        mut self,
        caller_ids: impl IntoIterator<Item = T>,
    ) -> Self {
        self.caller_ids.extend(caller_ids.into_iter().map(Into::into));
        self
    }

    /// Adds the code that a number gets instead of a random one.
    #[must_use]
    pub fn with_code(mut self, number: impl Into<NumberOrAny>, code: ValidationCode) -> Self {
        self.codes.insert(number.into(), code);
        self
    }

    /// Adds what a phone does by itself when it rings.
    #[must_use]
    pub fn with_phone(
        mut self,
        number: impl Into<NumberOrAny>,
        script: impl Into<PhoneScript>,
    ) -> Self {
        self.phones.insert(number.into(), script.into());
        self
    }

    /// Parses a seed.
    ///
    /// # Errors
    /// A 400 that says what is wrong, and where: `caller_ids[3].phone_number`.
    pub fn parse(json: &[u8]) -> Result<Self, ApiError> {
        let seed: Self = document::decode(json)?;
        seed.check()?;
        Ok(seed)
    }

    /// Checks that no number and no Sid is there twice.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        self.check_unique("phone_number", |row| Some(row.phone_number))?;
        self.check_unique("sid", |row| row.sid)
    }

    fn check_unique<T: Ord>(
        &self,
        name: &str,
        value: impl Fn(&SeedCallerId) -> Option<T>,
    ) -> Result<(), ApiError> {
        let mut seen = BTreeMap::new();
        for (at, row) in self.caller_ids.iter().enumerate() {
            let Some(value) = value(row) else { continue };
            if let Some(first) = seen.insert(value, at) {
                let detail =
                    format!("caller_ids[{at}].{name}: the same as that of caller_ids[{first}]");
                return Err(invalid(&detail));
            }
        }
        Ok(())
    }

    /// The caller IDs. Those without a date are created now, and those without a Sid get random
    /// ones.
    pub(crate) fn caller_ids(
        &self,
        account: &AccountSid,
        now: Moment,
        random_bytes: &RandomBytes,
    ) -> Vec<OutgoingCallerId> {
        let random = u128::from_be_bytes(random_bytes.caller_id_sid);
        let rows = self.caller_ids.iter().zip(0_u128..);
        let row = |(row, at): (&SeedCallerId, u128)| {
            let sid = || CallerIdSid::from_random_bytes(&random.wrapping_add(at).to_be_bytes());
            let name = row.friendly_name.clone();
            let created = row.date_created.unwrap_or_else(|| now.to_date());
            OutgoingCallerId {
                sid: row.sid.unwrap_or_else(sid),
                account_sid: *account,
                friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&row.phone_number)),
                phone_number: row.phone_number,
                date_created: created,
                date_updated: row.date_updated.unwrap_or(created),
            }
        };
        rows.map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (json, expected) in [
            ("7", "invalid type: integer `7`, expected an object with"),
            ("{} {}", "trailing characters"),
            (r#"{"caller_id":[]}"#, "unknown field `caller_id`, expected one of"),
            (r#"{"caller_ids":[{}]}"#, "caller_ids[0]: missing field `phone_number`"),
            (r#"{"caller_ids":[{"phone_number":"banana"}]}"#, "caller_ids[0].phone_number: "),
            (
                r#"{"caller_ids":[{"phone_number":"4158675309","sid":"PN1"}]}"#,
                "caller_ids[0].sid: ",
            ),
            (
                r#"{"caller_ids":[{"phone_number":"4158675309","date_created":"today"}]}"#,
                "caller_ids[0].date_created: ",
            ),
            (
                r#"{"caller_ids":[{"phone_number":"4158675309"},{"phone_number":"(415) 867-5309"}]}"#,
                "caller_ids[1].phone_number: the same as that of caller_ids[0]",
            ),
            (r#"{"codes":{"4158675309":"12345"}}"#, "codes.4158675309: "),
            (r#"{"codes":{"+":"123456"}}"#, "codes"),
            (r#"{"phones":{"*":"sings"}}"#, "phones.*: "),
        ] {
            let error = Seed::parse(json.as_bytes()).unwrap_err();
            assert_eq!(error.status, 400);
            assert!(error.message.contains(expected), "{json}: {}", error.message);
        }
    }

    #[test]
    fn a_seed_gives_what_is_left_out() {
        let json = r#"{"caller_ids":[
            {"phone_number":"415-867-5309"},
            {"phone_number":"4158675310","friendly_name":"Bob","sid":"PN0123456789abcdef0123456789abcdef",
             "date_created":"2008-04-01T18:26:32Z","date_updated":"Tue, 01 Apr 2008 11:26:33 -0700"}]}"#;
        let account = AccountSid::from_random_bytes(&[1; 16]);
        let now = Moment::from_unix_millis(5_000);
        let random_bytes = RandomBytes::new([7; RandomBytes::BYTES]);
        let rows = Seed::parse(json.as_bytes()).unwrap().caller_ids(&account, now, &random_bytes);
        let [first, second] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(first.friendly_name.as_str(), "(415) 867-5309");
        assert_eq!((first.date_created, first.date_updated), (now.to_date(), now.to_date()));
        assert_eq!(second.sid.as_str(), "PN0123456789abcdef0123456789abcdef");
        assert_eq!(second.date_created.to_string(), "Tue, 01 Apr 2008 18:26:32 +0000");
        assert_eq!(second.date_updated.to_string(), "Tue, 01 Apr 2008 11:26:33 -0700");
        assert_ne!(first.sid, second.sid);
    }
}
