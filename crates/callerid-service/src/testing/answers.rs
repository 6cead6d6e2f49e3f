//! The documents of the control surface's requests for tests, except those of seeds, faults, scripts
//! and logged requests, which have files of their own.

use serde::{Deserialize, Serialize};

use callerid_core::{
    AccountSid, AuthToken, CallSid, Moment, OutgoingCallerId, PhoneNumber, ValidationCode,
};

use super::seed::Seed;
use crate::rfc3339;
use crate::store::AccountContents;

/// The version of the documents of snapshots.
pub(crate) const SNAPSHOT_FORMAT: u32 = 1;

/// Everything in an account's store: the document of `GET snapshot` and `PUT snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub(crate) format: u32,
    /// The contents.
    pub contents: AccountContents,
}

/// The answer of `GET snapshots`.
#[derive(Serialize)]
pub(crate) struct Snapshots {
    pub(crate) snapshots: Vec<KeptSnapshot>,
}

/// A snapshot that the service keeps under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSnapshot {
    /// The name.
    pub name: String,
    /// How many caller IDs it has.
    pub caller_ids: usize,
    /// How many calls it has.
    pub calls: usize,
}

/// The answer of `GET caller_ids`.
#[derive(Serialize)]
pub(crate) struct CallerIds {
    pub(crate) caller_ids: Vec<OutgoingCallerId>,
}

/// How many caller IDs an account, a seed or a snapshot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The number of caller IDs.
    pub caller_ids: usize,
}

/// An account's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The account's time.
    #[serde(with = "rfc3339")]
    pub now: Moment,
    /// Whether it stands still.
    pub frozen: bool,
}

/// The document of `POST clock`. What is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetClock {
    /// The new time.
    #[serde(default, with = "rfc3339::optional", skip_serializing_if = "Option::is_none")]
    pub now: Option<Moment>,
    /// Whether the clock stands still from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
}

/// The document of `POST clock/advance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// Seconds.
    #[serde(default)]
    pub seconds: u32,
    /// And milliseconds.
    #[serde(default)]
    pub milliseconds: u32,
}

/// The code of a number's live call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCode {
    /// The number.
    pub phone_number: PhoneNumber,
    /// The call.
    pub call_sid: CallSid,
    /// The code.
    pub validation_code: ValidationCode,
}

/// The document of `POST sandboxes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddSandbox {
    /// What the sandbox begins with.
    #[serde(default)]
    pub seed: Seed,
    /// After how many seconds it is removed; never, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
}

/// A throw-away account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxAccount {
    /// Its Sid.
    pub account_sid: AccountSid,
    /// Its token.
    pub auth_token: AuthToken,
    /// When it is removed, by the host's clock.
    #[serde(with = "rfc3339::optional")]
    pub ends_at: Option<Moment>,
}
