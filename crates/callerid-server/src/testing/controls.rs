//! What tests control of an account: its snapshots, clock, faults, phones and logged requests.

use std::time::Duration;

use axum::http::Method;
use callerid_core::Moment;
use callerid_service::testing::{
    AddedFault, Advance, Clock, Count, Fault, KeptSnapshot, LoggedRequest, NumberOrAny,
    PhoneScript, SetClock,
};
use callerid_service::{CallStatus, CallView};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::IgnoredAny;

use super::connection::Connection;
use super::error::ControlError;
use super::matching::{Matching, Rows};

/// The snapshots of an account that the server keeps under a name.
#[derive(Clone, Copy, Debug)]
pub struct Snapshots<'a>(pub(super) &'a Connection);

impl Snapshots<'_> {
    /// Keeps everything in the account's store under a name. Returns the number of caller IDs.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn keep(&self, name: &str) -> Result<usize, ControlError> {
        self.0.ask::<Count>(Method::PUT, &path(name)).await.map(|it| it.caller_ids)
    }

    /// Restores what was kept under a name. Returns the number of caller IDs.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is no such snapshot.
    pub async fn restore(&self, name: &str) -> Result<usize, ControlError> {
        let path = format!("{}/restore", path(name));
        self.0.ask::<Count>(Method::POST, &path).await.map(|it| it.caller_ids)
    }

    /// The kept snapshots, by name.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list(&self) -> Result<Vec<KeptSnapshot>, ControlError> {
        self.0.ask::<Rows<_>>(Method::GET, "snapshots").await.map(|it| it.rows)
    }

    /// Removes a kept snapshot.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is no such snapshot.
    pub async fn remove(&self, name: &str) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, &path(name)).await
    }
}

fn path(snapshot: &str) -> String {
    format!("snapshots/{}", utf8_percent_encode(snapshot, NON_ALPHANUMERIC))
}

/// An account's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockControl<'a>(pub(super) &'a Connection);

impl ClockControl<'_> {
    /// The time, and whether it stands still.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn get(&self) -> Result<Clock, ControlError> {
        self.0.ask(Method::GET, "clock").await
    }

    /// Sets the clock, which stands still or runs as before.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn set(&self, now: Moment) -> Result<Clock, ControlError> {
        self.post(SetClock { now: Some(now), frozen: None }).await
    }

    /// Freezes the clock.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn freeze(&self) -> Result<Clock, ControlError> {
        self.post(SetClock { now: None, frozen: Some(true) }).await
    }

    /// Sets the clock, and freezes it.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn freeze_at(&self, now: Moment) -> Result<Clock, ControlError> {
        self.post(SetClock { now: Some(now), frozen: Some(true) }).await
    }

    /// Lets the clock run.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn run(&self) -> Result<Clock, ControlError> {
        self.post(SetClock { now: None, frozen: Some(false) }).await
    }

    /// Advances the clock, in whole milliseconds. Everything that was due by then has happened when
    /// this completes, each at its own time.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn advance(&self, by: Duration) -> Result<Clock, ControlError> {
        let seconds = by.as_secs().try_into().unwrap_or(u32::MAX);
        let advance = Advance { seconds, milliseconds: by.subsec_millis() };
        self.0.tell(Method::POST, "clock/advance", &advance).await
    }

    /// The server's clock again.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn reset(&self) -> Result<Clock, ControlError> {
        self.0.ask(Method::DELETE, "clock").await
    }

    async fn post(&self, document: SetClock) -> Result<Clock, ControlError> {
        self.0.tell(Method::POST, "clock", &document).await
    }
}

/// The faults of an account: requests that go wrong on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Faults<'a>(pub(super) &'a Connection);

impl Faults<'_> {
    /// Adds a fault.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn add(&self, fault: &Fault) -> Result<AddedFault, ControlError> {
        self.0.tell(Method::POST, "faults", fault).await
    }

    /// The faults, and what became of them.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list(&self) -> Result<Vec<AddedFault>, ControlError> {
        self.0.ask::<Rows<_>>(Method::GET, "faults").await.map(|it| it.rows)
    }

    /// Lets the responses go that a fault holds, and removes it.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is no such fault.
    pub async fn release(&self, id: u64) -> Result<(), ControlError> {
        self.0.order(Method::POST, &format!("faults/{id}/release")).await
    }

    /// Removes a fault.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is no such fault.
    pub async fn remove(&self, id: u64) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, &format!("faults/{id}")).await
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn clear(&self) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, "faults").await
    }
}

/// The last requests of an account.
#[derive(Clone, Copy, Debug)]
pub struct Requests<'a>(pub(super) &'a Connection);

impl Requests<'_> {
    /// The requests, oldest first.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn list(&self) -> Result<Vec<LoggedRequest>, ControlError> {
        self.since(0).await
    }

    /// The requests after the one with this id.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn since(&self, id: u64) -> Result<Vec<LoggedRequest>, ControlError> {
        let path = format!("requests?since={id}");
        self.0.ask::<Rows<_>>(Method::GET, &path).await.map(|it| it.rows)
    }

    /// Forgets the requests.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn clear(&self) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, "requests").await
    }
}

/// A number's phone, or every phone without a script of its own.
#[derive(Clone, Copy, Debug)]
pub struct Phone<'a> {
    pub(super) connection: &'a Connection,
    pub(super) number: NumberOrAny,
}

impl Phone<'_> {
    /// What the phone does by itself when it rings: a [`NamedScript`](super::NamedScript), or
    /// [`Step`](super::Step)s.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn will(&self, script: impl Into<PhoneScript>) -> Result<(), ControlError> {
        let script = script.into();
        self.connection.tell::<IgnoredAny>(Method::PUT, &self.path(), &script).await.map(|_| ())
    }

    /// Removes the phone's script.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is none.
    pub async fn remove_script(&self) -> Result<(), ControlError> {
        self.connection.order(Method::DELETE, &self.path()).await
    }

    /// Waits until the phone rings, at most ten seconds.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn rings(&self) -> Result<CallView, ControlError> {
        let calls: Matching<'_, CallView> =
            Matching::new(self.connection, "calls").with_status(CallStatus::Ringing);
        match self.number {
            NumberOrAny::Number(number) => calls.of(number).next().await,
            NumberOrAny::Any => calls.next().await,
        }
    }

    fn path(&self) -> String {
        format!("phones/{}", self.number)
    }
}
