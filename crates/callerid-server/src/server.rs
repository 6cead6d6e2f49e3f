//! The server: everything put together, from its first connection to its last.

use std::sync::Arc;
use std::time::Duration;

use callerid_core::Moment;
use callerid_service::{Next, Service, Store};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::callbacks::{Callbacks, Sender};
use crate::clock::Clock;
use crate::line::{PhoneLine, PhoneReports};
use crate::switchboard::{self, Message, Switchboard};
use crate::{connection, http};

/// What the server allows whoever connects.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; others wait until one ends.
    pub connections: usize,
    /// How long a connection may be idle, take to send a request's head or its body, or not take what it is
    /// sent.
    pub timeout: Duration,
    /// How long requests may take to end after the server has been told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 512, timeout: seconds(30), drain: seconds(10) }
    }
}

/// What handlers and the switchboard share.
pub(crate) struct Host<S> {
    pub(crate) service: Service<S>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// Tells event streams that the store may have changed.
    pub(crate) changes: watch::Sender<()>,
    /// Wakes the sender of callbacks.
    pub(crate) callback_is_due: Notify,
    pub(crate) stop: CancellationToken,
    switchboard: mpsc::Sender<Message>,
}

impl<S> Host<S> {
    /// Says that the store may have changed, and has done what comes next of it.
    pub(crate) async fn changed(&self, next: Vec<Next>, wake_at: Option<Moment>) {
        self.changes.send_replace(());
        if !next.is_empty() || wake_at.is_some() {
            let message = Message::Instructed { next, wake_at };
            self.switchboard.send(message).await.unwrap_or_default();
        }
    }
}

/// Serves the API on a listener until `stop` is ready, and then until the requests that have begun are
/// answered, at most for [`Limits::drain`].
///
/// `line` makes the phone line from what it is to report through.
pub async fn run<S: Store + 'static>(
    listener: TcpListener,
    store: S,
    clock: Clock,
    line: impl FnOnce(PhoneReports) -> Box<dyn PhoneLine>,
    callbacks: Callbacks,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let (inbox_sender, inbox) = mpsc::channel(switchboard::INBOX);
    let (stopping, drained) = (CancellationToken::new(), CancellationToken::new());
    // If this future is dropped, its parts stop as well.
    let _guards = [stopping.clone().drop_guard(), drained.clone().drop_guard()];
    let line = line(PhoneReports::new(inbox_sender.clone()));
    let host = Arc::new(Host {
        service: Service::new(store).with_line(line.name()),
        clock,
        limits,
        changes: watch::Sender::new(()),
        callback_is_due: Notify::new(),
        stop: stopping.clone(),
        switchboard: inbox_sender,
    });
    let mut switchboard = Switchboard::new(Arc::clone(&host), line, inbox);
    switchboard.start().await;
    let switchboard = tokio::spawn(switchboard.run(drained.clone()));
    let callbacks = Sender::new(Arc::clone(&host), callbacks).run(stopping.clone());
    let callbacks = tokio::spawn(callbacks);
    let connections = connection::serve(listener, http::app(host), limits, stopping.clone());
    let connections = tokio::spawn(connections);
    stop.await;
    tracing::info!("stopping: requests that have begun are answered first");
    stopping.cancel();
    let parts =
        [("connections", connections), ("switchboard", switchboard), ("callbacks", callbacks)];
    for (part, task) in parts {
        if let Err(error) = task.await {
            tracing::error!(%error, "the {part} ended before their time");
        }
        drained.cancel();
    }
}
