//! State that the server's parts share: the service, the clock, the limits, and channels between
//! the parts.

use std::sync::Arc;
use std::time::Duration;

use callerid_core::{AccountSid, AuthToken, Moment};
use callerid_service::{AuditEntry, LineCommand, Service};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::audit_log::AuditLog;
use crate::client::TrustedProxies;
use crate::clock::Clock;
use crate::inbox::Message;
use crate::line::PhoneLine;
use crate::streams::Streams;
use crate::token_failures::TokenFailures;

/// The server's limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The service's limits: calls and callbacks.
    pub service: callerid_service::Limits,
    /// Consecutive wrong tokens for an account, or from an address, after which the next attempt is
    /// delayed.
    pub wrong_tokens: u32,
    /// Concurrent connections. Others wait until one ends, and are rejected if that takes too long.
    pub connections: usize,
    /// Concurrent connections per address (for IPv6, per /64). Others are rejected.
    pub connections_per_address: usize,
    /// Sessions per account. One more ends the oldest.
    pub sessions_per_account: u32,
    /// Concurrent event streams per account.
    pub streams_per_account: usize,
    /// The maximum age of an event stream. Its client then resumes it.
    pub stream_age: Duration,
    /// How long a connection can be idle, or take to send a request's head or body.
    pub timeout: Duration,
    /// How long a client can take to read a whole response, or one chunk of a stream.
    pub response_timeout: Duration,
    /// How long requests in progress can take after the server is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let service = callerid_service::Limits::default();
        Self {
            service,
            wrong_tokens: 100,
            connections: 512,
            connections_per_address: 256,
            sessions_per_account: 100,
            streams_per_account: 128,
            stream_age: seconds(3_600),
            timeout: seconds(30),
            response_timeout: seconds(60),
            drain: seconds(10),
        }
    }
}

/// What keeps a server from doing harm: its limits and, for a real phone line, a log of what it did.
#[derive(Clone, Debug, Default)]
pub struct Safeguards {
    /// The limits.
    pub limits: Limits,
    /// Records the calls of a real line.
    pub audit_log: Option<AuditLog>,
}

impl From<Limits> for Safeguards {
    fn from(limits: Limits) -> Self {
        Self { limits, audit_log: None }
    }
}

/// State that the server's parts share.
pub(crate) struct Host<S> {
    pub(crate) service: Service<S>,
    pub(crate) clock: Clock,
    pub(crate) line: Arc<dyn PhoneLine>,
    pub(crate) token_failures: TokenFailures,
    pub(crate) limits: Limits,
    /// Only of a real line.
    pub(crate) audit_log: Option<AuditLog>,
    pub(crate) proxies: TrustedProxies,
    /// The token for reading the metrics. `None`: they can be read from this machine only.
    pub(crate) metrics_token: Option<AuthToken>,
    pub(crate) streams: Streams,
    /// Wakes the sender of callbacks.
    pub(crate) callback_is_due: Notify,
    /// Held while the service does what is due, so that an advancing clock does not overtake a script
    /// that the switchboard follows.
    pub(crate) ticking: Mutex<()>,
    pub(crate) stop: CancellationToken,
    pub(crate) switchboard: mpsc::Sender<Message>,
}

impl<S> Host<S> {
    /// Records an event of a call, if the line is real.
    pub(crate) fn record(&self, entry: impl Into<Option<AuditEntry>>) {
        if let (Some(log), Some(entry)) = (&self.audit_log, entry.into()) {
            log.record(&entry);
        }
    }

    /// Whether calls can be recorded, without which none are placed on a real line.
    pub(crate) fn can_record(&self) -> bool {
        !self.audit_log.as_ref().is_some_and(AuditLog::is_failing)
    }

    /// Reports that an account's data may have changed, and passes on the commands that follow from
    /// it.
    pub(crate) async fn changed(
        &self,
        account: &AccountSid,
        next: Vec<LineCommand>,
        wake_at: Option<Moment>,
    ) {
        self.streams.changed(account);
        if !next.is_empty() || wake_at.is_some() {
            let message = Message::Instructed { next, wake_at };
            self.switchboard.send(message).await.unwrap_or_default();
        }
    }
}
