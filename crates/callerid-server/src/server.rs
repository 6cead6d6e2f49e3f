//! The server: starts all parts, and stops them.

use std::sync::Arc;
use std::time::Duration;

use callerid_service::Service;
use futures_util::StreamExt as _;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::callbacks::{Callbacks, Sender};
use crate::clock::Clock;
use crate::connection;
use crate::host::Host;
use crate::http::App;
use crate::inbox::{INBOX, Message};
use crate::line::{PhoneLine, PhoneReports};
use crate::slots::Slots;
use crate::streams::Streams;
use crate::switchboard::Switchboard;
use crate::token_failures::TokenFailures;

pub use crate::client::TrustedProxies;
pub use crate::host::{Limits, Safeguards};
pub use crate::listener::Listener;
pub use crate::server_store::{News, ServerStore};
pub use crate::tls::Tls;

/// The time limit for writing the last entries of the audit log.
const LAST_ENTRIES: Duration = Duration::from_secs(2);

/// Serves the API on a listener until `stop` completes, and then until the requests in progress
/// have been answered, at most for [`Limits::drain`].
///
/// `line` creates the phone line. Its argument is the channel for the line's reports. A real line has
/// the [limits](callerid_service::LineLimits) that are given for it, or the default ones.
pub async fn run<S: ServerStore + 'static>(
    listener: impl Into<Listener>,
    service: Service<S>,
    clock: Clock,
    line: impl FnOnce(PhoneReports) -> Box<dyn PhoneLine>,
    callbacks: Callbacks,
    safeguards: impl Into<Safeguards>,
    stop: impl Future<Output = ()>,
) {
    let Safeguards { limits, audit_log } = safeguards.into();
    let Listener { socket, tls, trusted_proxies, metrics_token } = listener.into();
    let (inbox_sender, inbox) = mpsc::channel(INBOX);
    let (stopping, drained) = (CancellationToken::new(), CancellationToken::new());
    // If this future is dropped, all parts stop as well.
    let _guards = [stopping.clone().drop_guard(), drained.clone().drop_guard()];
    let line: Arc<dyn PhoneLine> = line(PhoneReports::new(inbox_sender.clone())).into();
    // A real line is never without limits, and a virtual one has none of them.
    let is_real = line.line().is_real();
    let line_limits = is_real.then(|| limits.service.line.unwrap_or_default());
    let service_limits = callerid_service::Limits { line: line_limits, ..limits.service };
    let host = Arc::new(Host {
        service: service.with_line(line.line()).with_limits(service_limits),
        clock,
        line: Arc::clone(&line),
        token_failures: TokenFailures::new(limits.wrong_tokens),
        limits,
        audit_log: audit_log.clone().filter(|_| is_real),
        proxies: trusted_proxies,
        metrics_token,
        streams: Streams::default(),
        callback_is_due: Notify::new(),
        ticking: Mutex::default(),
        stop: stopping.clone(),
        switchboard: inbox_sender,
    });
    let mut switchboard = Switchboard::new(Arc::clone(&host), line, inbox);
    switchboard.start().await;
    let switchboard = tokio::spawn(switchboard.run(drained.clone()));
    let callbacks = Sender::new(Arc::clone(&host), callbacks).run(stopping.clone());
    let callbacks = tokio::spawn(callbacks);
    tokio::spawn(follow_news(Arc::clone(&host)));
    let slots = Slots::new(limits, host.proxies.clone());
    let connections = connection::serve(
        socket,
        tls,
        App::new(Arc::clone(&host)),
        slots,
        limits.drain,
        stopping.clone(),
    );
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
    if let Err(error) = host.service.store().leave().await {
        tracing::warn!(%error, "what waits here is taken over when the lease is over");
    }
    if let Some(log) = audit_log {
        let flushed = tokio::task::spawn_blocking(move || log.flush(LAST_ENTRIES));
        flushed.await.unwrap_or_default();
    }
}

/// Passes on what other servers of the store do, until the server stops.
async fn follow_news<S: ServerStore>(host: Arc<Host<S>>) {
    let mut news = host.service.store().news();
    while let Some(Some(news)) = host.stop.run_until_cancelled(news.next()).await {
        match news {
            News::Changed(account) => host.streams.changed(&account),
            News::Missed => host.streams.all_changed(),
            News::Adopted(placed) => {
                host.switchboard.send(Message::Adopted(placed)).await.unwrap_or_default();
                host.callback_is_due.notify_one();
            }
        }
    }
}
