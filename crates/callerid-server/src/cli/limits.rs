//! The options of `callerid serve` that set limits. docs/limits.md lists them.

use std::time::Duration;

use callerid_service::{CallbackSlots, WRONG_CODES_MAX};
use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::server::Limits;

const DEFAULT: callerid_service::Limits = callerid_service::Limits::DEFAULT;
const SLOTS: CallbackSlots = CallbackSlots::DEFAULT;

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitOptions {
    /// Maximum number of concurrent calls per account
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT.calls_per_account)]
    max_calls_per_account: u32,
    /// Maximum number of concurrent calls
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT.calls)]
    max_calls: u32,
    /// Maximum number of calls to one number per hour, from all accounts
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT.rings_per_number)]
    max_rings_per_number: u32,
    #[command(flatten)]
    wrong_codes: WrongCodes,
    /// Maximum number of pending status callbacks per account
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT.callbacks_per_account)]
    max_callbacks_per_account: u32,
    /// Maximum number of status callbacks that are sent at a time
    #[arg(long, value_name = "NUMBER", default_value_t = SLOTS.total, value_parser = at_least_one())]
    callback_slots: usize,
    /// Maximum number of status callbacks that are sent at a time per account
    #[arg(
        long, value_name = "NUMBER", default_value_t = SLOTS.per_account,
        value_parser = at_least_one(),
    )]
    callback_slots_per_account: usize,
    /// Maximum number of status callbacks that are sent at a time per account and receiver (host
    /// and port)
    #[arg(
        long, value_name = "NUMBER", default_value_t = SLOTS.per_receiver,
        value_parser = at_least_one(),
    )]
    callback_slots_per_receiver: usize,
    /// Consecutive wrong tokens, for an account or from an address, after which the next attempt is
    /// delayed
    #[arg(
        long, value_name = "NUMBER", default_value_t = Limits::default().wrong_tokens,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    max_wrong_tokens: u32,
    /// Maximum number of connections; a few more wait, and probes are still answered
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// Maximum number of connections per address (per /64 for IPv6), except trusted proxies
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().connections_per_address)]
    max_connections_per_address: usize,
    /// Maximum number of sessions of the page per account; one more ends the oldest
    #[arg(
        long, value_name = "NUMBER", default_value_t = Limits::default().sessions_per_account,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    max_sessions_per_account: u32,
    /// Maximum number of event streams per account
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().streams_per_account)]
    max_streams_per_account: usize,
    /// Maximum age of an event stream in seconds; its client then resumes it
    #[arg(
        long, value_name = "SECONDS", default_value_t = Limits::default().stream_age.as_secs(),
        value_parser = seconds(),
    )]
    max_stream_age: u64,
    /// Seconds that a connection can be idle, or take to send a request
    #[arg(
        long, value_name = "SECONDS", default_value_t = Limits::default().timeout.as_secs(),
        value_parser = seconds(),
    )]
    timeout: u64,
    /// Maximum time in seconds for a client to read a whole response
    #[arg(
        long, value_name = "SECONDS", default_value_t = Limits::default().response_timeout.as_secs(),
        value_parser = seconds(),
    )]
    response_timeout: u64,
}

/// The limit that `callerid number list` needs as well, for the seconds to wait.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WrongCodes {
    /// Consecutive wrong codes for a number, from all accounts, after which its next call is delayed
    #[arg(
        long, value_name = "NUMBER", default_value_t = DEFAULT.wrong_codes_per_number,
        value_parser = clap::value_parser!(u8).range(1..=i64::from(WRONG_CODES_MAX)),
    )]
    pub(super) max_wrong_codes_per_number: u8,
}

impl LimitOptions {
    pub(super) fn to_limits(&self) -> Limits {
        let service = callerid_service::Limits {
            calls_per_account: self.max_calls_per_account,
            calls: self.max_calls,
            rings_per_number: self.max_rings_per_number,
            wrong_codes_per_number: self.wrong_codes.max_wrong_codes_per_number,
            callbacks_per_account: self.max_callbacks_per_account,
            line: None,
        };
        Limits {
            service,
            wrong_tokens: self.max_wrong_tokens,
            connections: self.max_connections,
            connections_per_address: self.max_connections_per_address,
            sessions_per_account: self.max_sessions_per_account,
            streams_per_account: self.max_streams_per_account,
            stream_age: Duration::from_secs(self.max_stream_age),
            timeout: Duration::from_secs(self.timeout),
            response_timeout: Duration::from_secs(self.response_timeout),
            ..Limits::default()
        }
    }

    pub(super) fn to_callback_slots(&self) -> CallbackSlots {
        CallbackSlots {
            per_receiver: self.callback_slots_per_receiver,
            per_account: self.callback_slots_per_account,
            total: self.callback_slots,
        }
    }
}

/// With none, nothing would ever be sent or ring.
pub(super) fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// From a second to a day.
fn seconds() -> RangedU64ValueParser<u64> {
    RangedU64ValueParser::new().range(1..=86_400)
}
