//! What a host does for tests: it delays, holds and loses responses, waits for what a test waits
//! for, and advances an account's clock. [`Service::with_testing`](callerid_service::Service)
//! decides all of it.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use callerid_core::{AccountSid, Moment};
use callerid_service::{
    Delivery, Drop, FollowUp, Reply, ServiceError, Store, StoreError, error_response,
};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::exchange::random_bytes;
use crate::host::Host;

/// The paths of the control surface, whose errors are JSON.
const CONTROL: &str = "/_callerid/";
/// How often a held response looks whether it may go, if it is not told.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long an advancing clock waits for the callbacks that are due.
const CALLBACKS_TIMEOUT: Duration = Duration::from_secs(20);

/// Does what a reply to a test's request asks for, and returns the reply to send. `ask` repeats the
/// request.
pub(crate) async fn follow_up<S: Store, A: Future<Output = Reply>>(
    host: &Host<S>,
    follow_up: FollowUp,
    mut reply: Reply,
    ask: impl Fn() -> A,
) -> Reply {
    match follow_up {
        FollowUp::Wait { account, seconds } => wait(host, &account, seconds, reply, ask).await,
        FollowUp::Advance { account, to } => match advance(host, &account, to).await {
            Ok(()) => reply,
            Err(error) => {
                let (exception, failure) = ServiceError::from(error).into_exception();
                let request_sid = random_bytes().request_sid();
                reply.response = error_response(CONTROL, &exception, request_sid);
                reply.failure = failure;
                reply
            }
        },
    }
}

async fn wait<S: Store, A: Future<Output = Reply>>(
    host: &Host<S>,
    account: &AccountSid,
    seconds: u32,
    mut reply: Reply,
    ask: impl Fn() -> A,
) -> Reply {
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let Some(mut changes) = host.streams.open(*account, usize::MAX) else { return reply };
    loop {
        changes.mark_unchanged();
        reply = ask().await;
        if reply.follow_up.is_none() {
            return reply;
        }
        tokio::select! {
            () = host.stop.cancelled() => return reply,
            changed = timeout_at(deadline, changes.changed()) => if changed.is_err() {
                return reply;
            },
        }
    }
}

/// Advances an account's clock step by step, and waits after each step for the callbacks that are
/// due.
async fn advance<S: Store>(
    host: &Host<S>,
    account: &AccountSid,
    to: Moment,
) -> Result<(), StoreError> {
    // What is due before the clock moves comes first.
    let now = host.service.account_now(account, host.clock.now());
    while !advance_step(host, account, now).await? {}
    while !advance_step(host, account, to).await? {}
    Ok(())
}

async fn advance_step<S: Store>(
    host: &Host<S>,
    account: &AccountSid,
    to: Moment,
) -> Result<bool, StoreError> {
    let ticking = host.ticking.lock().await;
    let step = host.service.advance(account, to, host.clock.now()).await?;
    drop(ticking);
    host.changed(account, step.next, Some(host.clock.now())).await;
    host.callback_is_due.notify_one();
    let sent = async {
        while host.service.has_due_callbacks(account, host.clock.now()).await? {
            sleep(Duration::from_millis(1)).await;
        }
        Ok::<_, StoreError>(())
    };
    // A receiver that does not answer must not stop the clock.
    timeout(CALLBACKS_TIMEOUT, sent).await.unwrap_or(Ok(()))?;
    Ok(step.is_done)
}

/// Waits until a response may be sent, and marks it if the connection is to be lost.
pub(crate) async fn deliver<S: Store>(
    host: &Host<S>,
    account: Option<&AccountSid>,
    delivery: Delivery,
    mut response: Response,
) -> Response {
    sleep(Duration::from_millis(delivery.delay_ms.into())).await;
    if let (Some(fault), Some(account)) = (delivery.held_by, account) {
        while host.service.is_held(account, fault, host.clock.now()) {
            tokio::select! {
                () = host.stop.cancelled() => break,
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }
    if let Some(drop) = delivery.drop {
        response.extensions_mut().insert(drop);
    }
    response
}

/// Loses a response that is marked: all of it, which is an error that ends its connection, or half
/// of its body.
pub(crate) async fn lose(response: Response) -> io::Result<Response> {
    let lost = || io::Error::new(io::ErrorKind::ConnectionAborted, "dropped on purpose");
    match response.extensions().get() {
        None => Ok(response),
        Some(Drop::Before | Drop::After) => Err(lost()),
        Some(Drop::MidBody) => {
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let half = body.slice(..body.len() / 2);
            let half = stream::once(async { Ok(half) });
            // The half is written while the rest is awaited.
            let rest = stream::once(async move {
                sleep(LOOK_EVERY).await;
                Err(lost())
            });
            Ok(Response::from_parts(head, Body::from_stream(half.chain(rest))))
        }
    }
}
