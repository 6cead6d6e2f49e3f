//! An account of a server that is under the control of tests.

use std::fmt;
use std::net::SocketAddr;

use axum::http::Method;
use callerid_core::{
    AccountSid, AuthToken, CallSid, Credentials, OutgoingCallerId, PhoneNumber, form,
};
use callerid_service::testing::{
    AddSandbox, Count, LiveCode, NumberOrAny, Phones, SandboxAccount, Seed, Snapshot,
};
use callerid_service::{CallView, CallbackView};
use serde::Deserialize;

use super::connection::{Connection, FORM};
use super::controls::{ClockControl, Faults, Phone, Requests, Snapshots};
use super::error::ControlError;
use super::matching::Matching;

/// An account, and what tests do with it.
#[derive(Clone)]
pub struct TestAccount(Connection);

impl TestAccount {
    pub(super) fn new(address: SocketAddr, credentials: Credentials) -> Self {
        Self(Connection { address, url: format!("http://{address}"), credentials })
    }

    /// The server's URL: `http://127.0.0.1:` and its port.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The account's Sid.
    pub fn account_sid(&self) -> AccountSid {
        self.0.credentials.sid
    }

    /// The account's token.
    pub fn auth_token(&self) -> &AuthToken {
        &self.0.credentials.auth_token
    }

    /// Both, as requests carry them.
    pub fn credentials(&self) -> Credentials {
        self.0.credentials.clone()
    }

    /// Resets the account to its seed. The clock and the snapshots stay. Returns the number of
    /// caller IDs.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn reset(&self) -> Result<usize, ControlError> {
        self.0.ask::<Count>(Method::POST, "reset").await.map(|it| it.caller_ids)
    }

    /// Adds caller IDs, codes and scripts: all, or nothing if something is wrong. Returns the
    /// number of caller IDs.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn seed(&self, seed: &Seed) -> Result<usize, ControlError> {
        self.0.tell::<Count>(Method::POST, "seed", seed).await.map(|it| it.caller_ids)
    }

    /// Everything in the account's store.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn snapshot(&self) -> Result<Snapshot, ControlError> {
        self.0.ask(Method::GET, "snapshot").await
    }

    /// Replaces everything in the account's store. Returns the number of caller IDs.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn restore(&self, snapshot: &Snapshot) -> Result<usize, ControlError> {
        self.0.tell::<Count>(Method::PUT, "snapshot", snapshot).await.map(|it| it.caller_ids)
    }

    /// The snapshots that the server keeps under a name.
    pub fn snapshots(&self) -> Snapshots<'_> {
        Snapshots(&self.0)
    }

    /// The account's clock.
    pub fn clock(&self) -> ClockControl<'_> {
        ClockControl(&self.0)
    }

    /// The requests that go wrong.
    pub fn faults(&self) -> Faults<'_> {
        Faults(&self.0)
    }

    /// The last 1,000 requests to the API.
    pub fn requests(&self) -> Requests<'_> {
        Requests(&self.0)
    }

    /// A number's phone, or every phone without a script of its own.
    pub fn phone(&self, number: impl Into<NumberOrAny>) -> Phone<'_> {
        Phone { connection: &self.0, number: number.into() }
    }

    /// What the phones do by themselves.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn phones(&self) -> Result<Phones, ControlError> {
        #[derive(Deserialize)]
        struct Answer {
            phones: Phones,
        }
        self.0.ask::<Answer>(Method::GET, "phones").await.map(|it| it.phones)
    }

    /// Removes the scripts of all phones.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn clear_phones(&self) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, "phones").await
    }

    /// The code of a number's live call.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if there is no such call.
    pub async fn code(&self, number: PhoneNumber) -> Result<LiveCode, ControlError> {
        self.0.ask(Method::GET, &format!("codes/{number}")).await
    }

    /// The account's calls, newest first.
    pub fn calls(&self) -> Matching<'_, CallView> {
        Matching::new(&self.0, "calls")
    }

    /// The account's status callbacks, newest first.
    pub fn callbacks(&self) -> Matching<'_, CallbackView> {
        Matching::new(&self.0, "callbacks")
    }

    /// The account's caller IDs, in the order of the API's list.
    pub fn caller_ids(&self) -> Matching<'_, OutgoingCallerId> {
        Matching::new(&self.0, "caller_ids")
    }

    /// Answers the phone of a ringing call.
    ///
    /// # Errors
    /// [`ControlError`]; a 409 if it does not ring.
    pub async fn answer(&self, call: CallSid) -> Result<CallView, ControlError> {
        self.0.ask(Method::POST, &format!("calls/{call}/answer")).await
    }

    /// Presses keys at the phone of a call: `123456`.
    ///
    /// # Errors
    /// [`ControlError`]; a 409 if nobody has answered.
    pub async fn press(&self, call: CallSid, keys: &str) -> Result<CallView, ControlError> {
        let form = form::encode([("Digits", keys)]);
        self.0.send(Method::POST, &format!("calls/{call}/digits"), FORM, form.into()).await
    }

    /// Hangs up, or declines, at the phone of a call.
    ///
    /// # Errors
    /// [`ControlError`]; a 409 if the call has ended.
    pub async fn hang_up(&self, call: CallSid) -> Result<CallView, ControlError> {
        self.0.ask(Method::POST, &format!("calls/{call}/hangup")).await
    }

    /// Adds a throw-away account with controls of its own.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn sandbox(&self, sandbox: &AddSandbox) -> Result<Self, ControlError> {
        let added: SandboxAccount = self.0.tell(Method::POST, "sandboxes", sandbox).await?;
        let SandboxAccount { account_sid: sid, auth_token, .. } = added;
        Ok(Self::new(self.0.address, Credentials { sid, auth_token }))
    }

    /// Removes this account, which must be a sandbox.
    ///
    /// # Errors
    /// [`ControlError`]; a 404 if it is not a sandbox.
    pub async fn remove(self) -> Result<(), ControlError> {
        self.0.order(Method::DELETE, &format!("sandboxes/{}", self.account_sid())).await
    }
}

impl fmt::Debug for TestAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sid = self.account_sid();
        f.debug_struct("TestAccount").field("url", &self.0.url).field("account_sid", &sid).finish()
    }
}
