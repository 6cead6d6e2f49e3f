//! The [`Service`]: the API's operations on a store, for every host.

use std::cmp::Reverse;

use callerid_core::{
    AccountSid, CallSid, Credentials, Cursor, ErrorCode, ListKey, Moment, NewCallerId, Page,
};

use crate::account::{Account, Unauthenticated};
use crate::api_error::{ApiError, ServiceError};
use crate::call::{Call, PhoneEvent};
use crate::eligibility::Ineligible;
use crate::limits::Limits;
use crate::operation::{ListRequest, Operation, PageToken, Route};
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::response::Response;
use crate::store::{Store, StoreError};
use crate::transition::{Instruction, Transition, UnexpectedEvent};
use crate::versions::{self, Answer};

/// Answers requests with the help of a store. It has no state of its own, so several services can
/// share a store.
///
/// A host passes it requests ([`respond`](Self::respond)), phone events
/// ([`phone_event`](Self::phone_event)) and the time ([`tick`](Self::tick)), each with the current
/// time as `now`. The return values say what the host must do next. All changes are saved before
/// they are returned, so a host that is killed finds its work again with the first `tick`.
#[derive(Debug)]
pub struct Service<S> {
    pub(crate) store: S,
    line: &'static str,
    limits: Limits,
}

/// A response, and what the host must do apart from sending it.
#[derive(Debug)]
pub struct Reply {
    /// The response to send.
    pub response: Response,
    /// Commands for the phone line, in this order.
    pub next: Vec<LineCommand>,
    /// The host must call [`tick`](Service::tick) by this time.
    pub wake_at: Option<Moment>,
    /// Why the response is a 500: for the host's log, not for the client.
    pub failure: Option<StoreError>,
}

/// A command for the phone line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCommand {
    /// The call.
    pub call: Call,
    /// What to do with it.
    pub instruction: Instruction,
}

/// The result of a tick.
#[derive(Debug, Default)]
pub struct Tick {
    /// Commands for the phone line, in this order.
    pub next: Vec<LineCommand>,
    /// When to tick again; `None` if no call is live.
    pub wake_at: Option<Moment>,
}

/// The result of a phone event.
#[derive(Debug)]
pub struct PhoneReply {
    /// The call after the event.
    pub outcome: Result<Call, PhoneEventError>,
    /// Commands for the phone line, in this order.
    pub next: Vec<LineCommand>,
}

/// Why a phone event changed nothing.
#[derive(Debug)]
pub enum PhoneEventError {
    /// The call does not exist.
    NoSuchCall,
    /// The event is impossible in the call's current state.
    Unexpected(UnexpectedEvent),
    /// The store failed.
    Store(StoreError),
}

/// The error of a validation if the random bytes yield no code, which happens once in 10^53
/// validations.
const NO_CODE: &str = "the random bytes hold no code";
/// The name of the line whose calls can be answered only through the control surface.
pub const VIRTUAL_LINE: &str = "virtual";
/// How many calls `tick` processes before it looks for due calls again.
const TICK_BATCH: usize = 1000;

impl<S: Store> Service<S> {
    /// Creates a service with this store, whose calls can be answered only through the control
    /// surface.
    pub const fn new(store: S) -> Self {
        Self { store, line: VIRTUAL_LINE, limits: Limits::DEFAULT }
    }

    /// The same service, with calls on the phone line of this name.
    #[must_use]
    pub fn with_line(self, line: &'static str) -> Self {
        Self { line, ..self }
    }

    /// The same service with these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The name of the phone line.
    pub const fn line(&self) -> &'static str {
        self.line
    }

    /// The service's store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Returns the service's store.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The account whose credentials are in the `Authorization` header.
    ///
    /// # Errors
    /// The 401 to return, or the store's error.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Account, ServiceError> {
        self.account(&credentials(authorization)?).await
    }

    async fn account(&self, credentials: &Credentials) -> Result<Account, ServiceError> {
        let account = self.store.account(&credentials.sid).await?.ok_or(Unauthenticated)?;
        account.authenticate(credentials)?;
        Ok(account)
    }

    /// Places the calls that are due, and ends the calls whose codes have expired.
    ///
    /// # Errors
    /// The store's error. Whatever was due remains due.
    pub async fn tick(&self, now: Moment) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        loop {
            let due = self.store.due(now, TICK_BATCH).await?;
            let steps: Vec<Transition> =
                due.iter().filter_map(|call| call.advance_to(now)).collect();
            if steps.is_empty() {
                break;
            }
            let saved = self.store.save(steps.clone()).await?;
            // Transitions that cannot be saved stay due; the host will call `tick` again.
            let is_stuck = !saved.contains(&true);
            let steps = steps.into_iter().zip(saved).filter(|(_, saved)| *saved);
            tick.next.extend(steps.filter_map(|(step, _)| step.into_next()));
            if is_stuck {
                break;
            }
        }
        tick.wake_at = self.store.wake_at().await?;
        Ok(tick)
    }

    /// Applies a phone event to a call. If the call was due or has expired, that transition is
    /// saved first.
    pub async fn phone_event(&self, sid: &CallSid, event: &PhoneEvent, now: Moment) -> PhoneReply {
        let mut next = Vec::new();
        let outcome = loop {
            let call = match self.store.call(sid).await {
                Ok(Some(call)) => call,
                Ok(None) => break Err(PhoneEventError::NoSuchCall),
                Err(error) => break Err(PhoneEventError::Store(error)),
            };
            let by_time = call.advance_to(now);
            let is_last = by_time.is_none();
            let step = match by_time.map_or_else(|| call.apply(event, now), Ok) {
                Ok(step) => step,
                Err(unexpected) => break Err(PhoneEventError::Unexpected(unexpected)),
            };
            match self.store.save(vec![step.clone()]).await {
                Err(error) => break Err(PhoneEventError::Store(error)),
                // Another transition was saved first, so try again. The call has made progress, so
                // the loop terminates.
                Ok(saved) if !saved.contains(&true) => {}
                Ok(_) => {
                    let call = step.call.clone();
                    next.extend(step.into_next());
                    if is_last {
                        break Ok(call);
                    }
                }
            }
        };
        PhoneReply { outcome, next }
    }

    pub(crate) async fn answer(
        &self,
        route: &Route,
        request: &Request<'_>,
        now: Moment,
        random_bytes: &RandomBytes,
        reply: &mut Reply,
    ) -> Result<Answer, ServiceError> {
        let not_found = || ApiError::not_found(request.path);
        let account = self.authenticate(request.authorization).await?.sid;
        // Another account's resources appear not to exist.
        if account != route.account {
            return Err(not_found().into());
        }
        let store = &self.store;
        match versions::decode(route.version, route.resource, request)? {
            Operation::List(list) => self.list(&account, list).await,
            Operation::Create(new) => self.create(&account, new, now, random_bytes, reply).await,
            Operation::Fetch(sid) => {
                let found = store.caller_id(&account, &sid).await?;
                Ok(Answer::CallerId(found.ok_or_else(not_found)?))
            }
            Operation::Update(sid, name) => {
                let renamed = store.rename(&account, &sid, name, now).await?;
                Ok(Answer::CallerId(renamed.ok_or_else(not_found)?))
            }
            Operation::Delete(sid) => match store.remove(&account, &sid).await? {
                true => Ok(Answer::Deleted),
                false => Err(not_found().into()),
            },
        }
    }

    async fn list(
        &self,
        account: &AccountSid,
        mut request: ListRequest,
    ) -> Result<Answer, ServiceError> {
        if let Some(token) = request.token {
            let place = self.place(account, token).await?;
            let side = if token.is_before { Cursor::Before } else { Cursor::After };
            request.page.cursor = Some(side(place));
        }
        let page = match &request.filter {
            Some(filter) => self.store.list(account, filter, request.page).await?,
            None => Page { number: request.page.number, ..Page::empty(request.page.size) },
        };
        if request.page_must_exist && !page.exists() {
            let detail = format!("the last page is {}", page.last());
            return Err(ApiError::because(ErrorCode::PageOutOfRange, &detail).into());
        }
        Ok(Answer::CallerIds(page, request))
    }

    /// The position in the list that a token refers to.
    async fn place(&self, account: &AccountSid, token: PageToken) -> Result<ListKey, ServiceError> {
        let PageToken { sid, updated, .. } = token;
        if let Some(updated) = updated {
            return Ok((Reverse(updated), sid));
        }
        let row = self.store.caller_id(account, &sid).await?;
        let gone = || ApiError::because(ErrorCode::InvalidPageToken, "its row is gone");
        Ok(row.ok_or_else(gone)?.list_key())
    }

    async fn create(
        &self,
        account: &AccountSid,
        new: NewCallerId,
        now: Moment,
        random_bytes: &RandomBytes,
        reply: &mut Reply,
    ) -> Result<Answer, ServiceError> {
        let call = Call::new(*account, new, random_bytes, now);
        let call = call.ok_or_else(|| StoreError::new(NO_CODE))?;
        let validation_request = call.to_validation_request();
        // A call without a delay is saved as ringing at once, which saves a transition and a write.
        let (call, place) = match call.advance_to(now) {
            Some(step) => (step.call, step.instruction),
            None => (call, None),
        };
        let admitted = self.store.add_call(call, &self.limits).await?.map_err(refused)?;
        reply.wake_at = admitted.call.wake_at();
        reply.next.extend(admitted.replaced.and_then(Transition::into_next));
        let call = admitted.call;
        reply.next.extend(place.map(|instruction| LineCommand { call, instruction }));
        let request = validation_request.ok_or_else(|| StoreError::new(NO_CODE))?;
        Ok(Answer::ValidationRequest(request))
    }
}

impl Transition {
    fn into_next(self) -> Option<LineCommand> {
        let Self { call, instruction, .. } = self;
        instruction.map(|instruction| LineCommand { call, instruction })
    }
}

impl Reply {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, next: Vec::new(), wake_at: None, failure: None }
    }
}

fn credentials(authorization: Option<&str>) -> Result<Credentials, Unauthenticated> {
    authorization.and_then(Credentials::from_authorization).ok_or(Unauthenticated)
}

fn refused(refused: Ineligible) -> ApiError {
    let detail = match refused {
        Ineligible::AlreadyValidated => return ApiError::new(ErrorCode::AlreadyValidated),
        Ineligible::TooManyFailedEntries { .. } => {
            "this number has had too many wrong codes in a row; whoever runs the service can clear them"
        }
        Ineligible::TooManyRings { .. } => "this number has been called too often",
        Ineligible::TooManyCallsOfAccount => "too many calls of this account are under way",
        Ineligible::TooManyCalls => "too many calls are under way",
        Ineligible::TooManyCallbacks => "too many status callbacks of this account are undelivered",
    };
    ApiError::because(ErrorCode::TooManyRequests, detail).with_retry_after(refused.retry_after())
}
