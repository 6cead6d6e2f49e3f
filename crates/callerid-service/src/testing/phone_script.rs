//! Scripts: what a phone does by itself when it rings.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use callerid_core::{PhoneNumber, VALIDATION_CODE_DIGITS, ValidationCode};

use crate::call::{FailureCause, PhoneEvent};
use crate::keypad::{InvalidKeys, Keys};

/// The maximum number of steps of a script.
const STEPS_MAX: usize = 100;

/// A step: something that happens at the phone, so long after the step before it or after the phone
/// rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Milliseconds.
    #[serde(default)]
    pub(crate) after_ms: u32,
    #[serde(rename = "do")]
    action: Action,
    /// The keys to press, `code` or `wrong`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digits: Option<Digits>,
}

/// What happens at a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Answers.
    Answer,
    /// Keys the code, unless the step has other digits.
    Key,
    /// Hangs up.
    HangUp,
    /// Declines the call.
    Decline,
    /// Is busy.
    Busy,
    /// Does not answer.
    NoAnswer,
    /// Cannot be reached.
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
enum Digits {
    Code,
    Wrong,
    Keys(String),
}

impl TryFrom<String> for Digits {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match &*text {
            "code" => Ok(Self::Code),
            "wrong" => Ok(Self::Wrong),
            _ => match Keys::parse(&text) {
                Ok(_) => Ok(Self::Keys(text)),
                Err(error) => Err(format!("{error}; or `code`, or `wrong`")),
            },
        }
    }
}

impl From<Digits> for String {
    fn from(digits: Digits) -> Self {
        match digits {
            Digits::Code => "code".to_owned(),
            Digits::Wrong => "wrong".to_owned(),
            Digits::Keys(keys) => keys,
        }
    }
}

impl Step {
    /// This happens at once.
    pub const fn new(action: Action) -> Self {
        Self { after_ms: 0, action, digits: None }
    }

    /// The phone keys six digits that are not the code.
    pub const fn wrong_code() -> Self {
        Self::key(Digits::Wrong)
    }

    /// The phone keys these: `123456#`.
    ///
    /// # Errors
    /// [`InvalidKeys`] if the text is empty or contains anything other than keys.
    pub fn keys(text: &str) -> Result<Self, InvalidKeys> {
        Keys::parse(text).map(|_| Self::key(Digits::Keys(text.to_owned())))
    }

    /// The same, so many milliseconds after the step before it.
    #[must_use]
    pub fn after(self, after_ms: u32) -> Self {
        Self { after_ms, ..self }
    }

    const fn key(digits: Digits) -> Self {
        Self { after_ms: 0, action: Action::Key, digits: Some(digits) }
    }

    /// What happens at the phone of a call with this code. Nothing, if the step is to key a code that
    /// is gone.
    pub(crate) fn event(&self, code: Option<ValidationCode>) -> Option<PhoneEvent> {
        Some(match self.action {
            Action::Answer => PhoneEvent::Answered,
            Action::HangUp | Action::Decline => PhoneEvent::HungUp,
            Action::Busy => PhoneEvent::Busy,
            Action::NoAnswer => PhoneEvent::NoAnswer,
            Action::Fail => PhoneEvent::Failed(FailureCause::NoSuchNumber),
            Action::Key => PhoneEvent::Pressed(match &self.digits {
                None | Some(Digits::Code) => code?.into(),
                Some(Digits::Wrong) => Keys::parse(&wrong(code?.expose())).ok()?,
                Some(Digits::Keys(keys)) => Keys::parse(keys).ok()?,
            }),
        })
    }
}

/// Six digits that are not the code.
fn wrong(code: &str) -> String {
    let digit = if code.starts_with('0') { "1" } else { "0" };
    digit.repeat(VALIDATION_CODE_DIGITS)
}

/// What a phone does: a script with a name, or steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneScript {
    /// A script with a name.
    Named(NamedScript),
    /// At most 100 steps.
    Steps(Vec<Step>),
}

impl From<NamedScript> for PhoneScript {
    fn from(named: NamedScript) -> Self {
        Self::Named(named)
    }
}

impl<T: Into<Vec<Step>>> From<T> for PhoneScript {
    fn from(steps: T) -> Self {
        Self::Steps(steps.into())
    }
}

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $steps:expr;)*) => {
        /// A script with a name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum NamedScript { $($(#[$doc])* $name),* }

        impl NamedScript {
            const ALL: &[Self] = &[$(Self::$name),*];

            /// The name: `verifies`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            const fn steps(self) -> &'static [Step] {
                match self { $(Self::$name => const { &$steps }),* }
            }
        }
    };
}

const ANSWER: Step = Step::new(Action::Answer);
const WRONG: Step = Step::key(Digits::Wrong);
const CODE: Step = Step::key(Digits::Code);

named! {
    /// Answers, and keys the code.
    Verifies = "verifies": [ANSWER, CODE];
    /// Answers, and keys a wrong code three times.
    WrongCode = "wrong_code": [ANSWER, WRONG, WRONG, WRONG];
    /// Answers, and keys a wrong code, then the right one.
    WrongThenRight = "wrong_then_right": [ANSWER, WRONG, CODE];
    /// Is busy.
    Busy = "busy": [Step::new(Action::Busy)];
    /// Does not answer.
    NoAnswer = "no_answer": [Step::new(Action::NoAnswer)];
    /// Declines the call.
    Declines = "declines": [Step::new(Action::Decline)];
    /// Answers, and hangs up.
    HangsUp = "hangs_up": [ANSWER, Step::new(Action::HangUp)];
    /// Cannot be reached.
    Fails = "fails": [Step::new(Action::Fail)];
    /// Answers, and keys nothing.
    AnswersSilently = "answers_silently": [ANSWER];
}

/// The last digits of the numbers with a script of their own, in any area code: 555-0171 has the
/// first of [`NamedScript::ALL`], and so on up to 555-0178.
const SCRIPTED_EXCHANGE: &str = "555017";
const SCRIPTED_NUMBERS: usize = 8;

impl PhoneScript {
    /// The script of a number that behaves by itself; `None` for all others.
    pub(crate) fn of_number(number: &PhoneNumber) -> Option<Self> {
        let last =
            number.as_str().get(3..)?.strip_prefix(SCRIPTED_EXCHANGE)?.parse::<usize>().ok()?;
        let named = NamedScript::ALL.iter().take(SCRIPTED_NUMBERS);
        named.copied().nth(last.checked_sub(1)?).map(Self::Named)
    }

    pub(crate) fn step(&self, at: usize) -> Option<&Step> {
        match self {
            Self::Named(named) => named.steps().get(at),
            Self::Steps(steps) => steps.get(at),
        }
    }
}

impl Serialize for PhoneScript {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(named) => named.as_str().serialize(serializer),
            Self::Steps(steps) => steps.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PhoneScript {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScriptVisitor)
    }
}

/// A script on its own, or as the `script` of an object.
struct ScriptVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InObject {
    script: PhoneScript,
}

impl<'de> Visitor<'de> for ScriptVisitor {
    type Value = PhoneScript;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("steps, or one of")?;
        NamedScript::ALL.iter().try_for_each(|named| write!(f, " `{}`", named.as_str()))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<PhoneScript, E> {
        let named = NamedScript::ALL.iter().find(|named| named.as_str() == name);
        let unknown = || E::invalid_value(serde::de::Unexpected::Str(name), &self);
        named.copied().map(PhoneScript::Named).ok_or_else(unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<PhoneScript, A::Error> {
        let steps = Vec::<Step>::deserialize(SeqAccessDeserializer::new(steps))?;
        match steps.len() <= STEPS_MAX {
            true => Ok(PhoneScript::Steps(steps)),
            false => Err(serde::de::Error::invalid_length(steps.len(), &"at most 100 steps")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PhoneScript, A::Error> {
        InObject::deserialize(MapAccessDeserializer::new(map)).map(|it| it.script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_number(number: &str) -> Option<&'static str> {
        match PhoneScript::of_number(&PhoneNumber::parse(number).unwrap())? {
            PhoneScript::Named(named) => Some(named.as_str()),
            PhoneScript::Steps(_) => None,
        }
    }

    #[test]
    fn numbers_that_behave_by_themselves() {
        let all = (1..=8).map(|last| of_number(&format!("212555017{last}")).unwrap());
        let all: Vec<_> = all.collect();
        assert_eq!(
            all,
            [
                "verifies",
                "wrong_code",
                "wrong_then_right",
                "busy",
                "no_answer",
                "declines",
                "hangs_up",
                "fails"
            ]
        );
        for other in ["4155550170", "4155550179", "4155550117", "4158675309"] {
            assert_eq!(of_number(other), None, "{other}");
        }
    }

    #[test]
    fn scripts_round_trip_and_mistakes_are_named() {
        for json in [
            r#""busy""#,
            r#"[{"after_ms":2000,"do":"answer"},{"after_ms":0,"do":"key","digits":"code"}]"#,
        ] {
            let script: PhoneScript = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&script).unwrap(), json);
            let in_object: PhoneScript =
                serde_json::from_str(&format!(r#"{{"script":{json}}}"#)).unwrap();
            assert_eq!(in_object, script);
        }
        for (json, expected) in [
            (r#""sings""#, "`verifies`"),
            (r#"[{"do":"sing"}]"#, "`hang_up`"),
            (r#"[{"do":"key","digits":"12a"}]"#, "`code`"),
            (r#"[{"do":"key","digit":"1"}]"#, "unknown field `digit`"),
            ("7", "expected steps, or one of"),
        ] {
            let error = serde_json::from_str::<PhoneScript>(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_wrong_entry_is_never_the_code() {
        for code in ["000000", "111111", "042917"] {
            assert_ne!(wrong(code), code);
        }
    }
}
