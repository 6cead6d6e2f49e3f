//! What the server's parts share: the service, the clock, the limits, and how the parts hear of one another.

use std::time::Duration;

use callerid_core::{AccountSid, AuthToken, CallSid, Moment};
use callerid_service::{LineCommand, PhoneEvent, Service};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::client::TrustedProxies;
use crate::clock::Clock;
use crate::streams::Streams;
use crate::token_failures::TokenFailures;

/// Messages to the switchboard that may wait; whoever sends another waits too.
pub(crate) const INBOX: usize = 1024;

/// What the server allows whoever connects.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What the service allows: calls and callbacks.
    pub service: callerid_service::Limits,
    /// Consecutive wrong tokens for an account, or from an address, after which the next one must wait.
    pub wrong_tokens: u32,
    /// Connections at a time; others wait until one ends, and are refused if that takes too long.
    pub connections: usize,
    /// Connections of one address at a time, of IPv6 a /64; others are refused.
    pub connections_per_address: usize,
    /// Event streams of one account at a time.
    pub streams_per_account: usize,
    /// How long an event stream lasts; the client resumes it then.
    pub stream_age: Duration,
    /// How long a connection may be idle, or take to send a request's head or its body.
    pub timeout: Duration,
    /// How long a client may take over a whole response, however slowly it reads; of a stream, over each piece.
    pub response_timeout: Duration,
    /// How long requests may take to end after the server has been told to stop.
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
            streams_per_account: 128,
            stream_age: seconds(3_600),
            timeout: seconds(30),
            response_timeout: seconds(60),
            drain: seconds(10),
        }
    }
}

/// What the server's parts share.
pub(crate) struct Host<S> {
    pub(crate) service: Service<S>,
    pub(crate) clock: Clock,
    pub(crate) token_failures: TokenFailures,
    pub(crate) limits: Limits,
    pub(crate) proxies: TrustedProxies,
    /// What the metrics are read with; `None`: from this machine.
    pub(crate) metrics_token: Option<AuthToken>,
    pub(crate) streams: Streams,
    /// Wakes the sender of callbacks.
    pub(crate) callback_is_due: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) switchboard: mpsc::Sender<Message>,
}

impl<S> Host<S> {
    /// Says that something of an account may have changed, and has done what comes next of it.
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

/// What the switchboard is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request was answered, and this comes of it.
    Instructed { next: Vec<LineCommand>, wake_at: Option<Moment> },
    /// The phone line reports an event.
    Reported(CallSid, PhoneEvent),
}
