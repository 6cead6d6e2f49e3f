//! The [`Service`]: the API's operations on a store, for every host.

use std::cmp::Reverse;
use std::fmt;

use callerid_core::{
    AccountSid, CallSid, CallerIdSid, Credentials, Cursor, ErrorCode, ListKey, Moment, NewCallerId,
    OutgoingCallerId, Page, PhoneNumber,
};

use crate::account::{Account, Unauthenticated};
use crate::api_error::{ApiError, ServiceError};
use crate::call::{Call, CallStatus, FailureCause, PhoneEvent};
use crate::eligibility::Ineligible;
use crate::limits::Limits;
use crate::line::Line;
use crate::line_rules::Forbidden;
use crate::operation::{ListRequest, Operation, PageToken, Route};
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::response::Response;
use crate::store::{Accounts, Store, StoreError};
use crate::testing::{Delivery, Drop, Testing, earliest};
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
    line: Line,
    limits: Limits,
    testing: Option<Testing>,
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
    /// How to send the response. Only tests change it.
    pub delivery: Delivery,
    /// What to do before the response is sent. Only requests of tests have it.
    pub follow_up: Option<FollowUp>,
    /// The validation that the request asked for, if it did, for an audit log.
    pub asked_for: Option<AskedFor>,
    /// The request in the log of the account.
    pub(crate) logged: Option<(AccountSid, u64)>,
}

/// What a host must do before it sends the response to a test's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// Nothing matches yet: repeat the request when the account has changed, for so many seconds.
    Wait {
        /// The account.
        account: AccountSid,
        /// The longest wait.
        seconds: u32,
    },
    /// Call [`Service::advance`] until it is done, and send the callbacks that become due.
    Advance {
        /// The account.
        account: AccountSid,
        /// The time to advance to.
        to: Moment,
    },
}

/// A validation that a valid request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFor {
    /// When.
    pub at: Moment,
    /// The account that asked.
    pub account_sid: AccountSid,
    /// The number to call.
    pub phone_number: PhoneNumber,
    /// The call, or why there is none.
    pub admitted: Result<CallSid, Ineligible>,
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
    /// Whether calls that are due wait, because the line takes no more of them.
    pub is_waiting: bool,
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

impl fmt::Display for PhoneEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCall => f.write_str("no such call"),
            Self::Unexpected(unexpected) => unexpected.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PhoneEventError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoSuchCall => None,
            Self::Unexpected(unexpected) => Some(unexpected),
            Self::Store(error) => Some(error),
        }
    }
}

/// The error of a validation if the random bytes yield no code, which happens once in 10^53
/// validations.
const NO_CODE: &str = "the random bytes hold no code";
/// How many calls `tick` processes before it looks for due calls again.
pub(crate) const TICK_BATCH: usize = 1000;

impl<S: Store> Service<S> {
    /// Creates a service with this store, whose calls can be answered only through the control
    /// surface.
    pub const fn new(store: S) -> Self {
        Self { store, line: Line::Virtual, limits: Limits::DEFAULT, testing: None }
    }

    /// The same service, with calls on this phone line.
    #[must_use]
    pub fn with_line(self, line: Line) -> Self {
        Self { line, ..self }
    }

    /// The same service with these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same service under the control of tests, whose accounts begin with a seed.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_testing(self, seed: crate::testing::Seed) -> Self {
        Self { testing: Some(Testing::new(seed)), ..self }
    }

    /// What tests control. Without the feature it is never there, so that a .wasm needs none of it.
    pub(crate) const fn testing(&self) -> Option<&Testing> {
        if cfg!(feature = "testing") { self.testing.as_ref() } else { None }
    }

    /// The phone line that places the calls.
    pub const fn line(&self) -> Line {
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

    /// The account that the credentials in a request belong to.
    ///
    /// # Errors
    /// The 401 to return, or the store's error.
    pub async fn authenticate(
        &self,
        credentials: Option<&Credentials>,
    ) -> Result<Account, ServiceError> {
        let credentials = credentials.ok_or(Unauthenticated)?;
        let account = self.store.account(&credentials.sid).await?.ok_or(Unauthenticated)?;
        account.authenticate(credentials)?;
        Ok(account)
    }

    /// Places the calls that are due, and ends the calls whose codes have expired.
    ///
    /// # Errors
    /// The store's error. Whatever was due remains due.
    pub async fn tick(&self, now: Moment) -> Result<Tick, StoreError> {
        self.tick_within(now, usize::MAX).await
    }

    /// Does what [`tick`](Self::tick) does, but places at most so many calls as the line has room
    /// for. The others wait, within their codes' life.
    ///
    /// # Errors
    /// The store's error. Whatever was due remains due.
    pub async fn tick_within(&self, now: Moment, room: usize) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        let is_stopped = self.line.is_real() && self.store.line_stopped_at().await?.is_some();
        let room = if is_stopped { 0 } else { room };
        if is_stopped {
            self.end_calls(now, &mut tick).await?;
        }
        for accounts in self.clocks() {
            let now = self.now_of(&accounts, now);
            self.tick_each(&accounts, now, now, room, &mut tick).await?;
        }
        self.tick_testing(now, &mut tick).await?;
        tick.wake_at = self.testing_wake_at();
        for accounts in self.clocks() {
            let wake_at = self.store.wake_at(&accounts).await?;
            let wake_at = wake_at.and_then(|at| self.to_host_time(&accounts, at));
            tick.wake_at = earliest(tick.wake_at, wake_at);
        }
        Ok(tick)
    }

    /// Advances calls to `now`: each at the time when it was due, but not before `since`. Places at
    /// most as many as `tick` has `room` for in all.
    pub(crate) async fn tick_each(
        &self,
        accounts: &Accounts,
        now: Moment,
        since: Moment,
        room: usize,
        tick: &mut Tick,
    ) -> Result<(), StoreError> {
        let mut waiting = 0;
        loop {
            // Those that wait come first, and must not hide the others.
            let limit = TICK_BATCH.saturating_add(waiting);
            let due = self.store.due(accounts, now, limit).await?;
            let at = |call: &Call| call.wake_at().map_or(now, |at| at.clamp(since, now));
            let mut steps = Vec::new();
            for call in &due {
                if let Some(step) = self.advance_call(call, at(call)) {
                    steps.push(self.unless_forbidden(call, step, now).await?);
                }
            }
            let found = steps.len();
            let mut room = room.saturating_sub(tick.placed());
            steps.retain(|step| {
                let is_placed = step.instruction == Some(Instruction::Place);
                let has_room = !is_placed || room > 0;
                room = room.saturating_sub(usize::from(is_placed));
                has_room
            });
            let waited = std::mem::replace(&mut waiting, found.saturating_sub(steps.len()));
            if steps.is_empty() {
                tick.is_waiting |= waiting > 0;
                if due.len() < limit || waiting == waited {
                    return Ok(());
                }
                continue;
            }
            let saved = self.store.save(steps.clone()).await?;
            // Transitions that cannot be saved stay due; the host will call `tick` again.
            let is_stuck = !saved.contains(&true);
            let steps = steps.into_iter().zip(saved).filter(|(_, saved)| *saved);
            let next: Vec<_> = steps.filter_map(|(step, _)| step.into_next()).collect();
            self.start_scripts(&next);
            tick.next.extend(next);
            if is_stuck {
                return Ok(());
            }
        }
    }

    /// The transition of a call that is due at `now`, if any, with the number that the line calls
    /// from.
    fn advance_call(&self, call: &Call, now: Moment) -> Option<Transition> {
        let mut step = call.advance_to(now)?;
        if step.instruction == Some(Instruction::Place) {
            step.call.caller = self.line.caller();
        }
        Some(step)
    }

    /// A transition, or the end of its call if that is to be placed on a real line and may not be any
    /// more.
    async fn unless_forbidden(
        &self,
        call: &Call,
        step: Transition,
        now: Moment,
    ) -> Result<Transition, StoreError> {
        if !self.waits_for_room(&step) {
            return Ok(step);
        }
        let number = &call.phone_number;
        let rules = self.limits.line().map(|limits| limits.rules);
        let is_too_late = rules.is_some_and(|rules| rules.check_hour(number, now).is_err());
        if is_too_late || self.store.is_opted_out(number).await? {
            let not_allowed = PhoneEvent::Failed(FailureCause::NotAllowed);
            return Ok(call.apply(&not_allowed, now).unwrap_or(step));
        }
        Ok(step)
    }

    /// Ends the calls that ring or are in progress, because the operator has stopped the line.
    async fn end_calls(&self, now: Moment, tick: &mut Tick) -> Result<(), StoreError> {
        let live = self.store.live().await?;
        let stopped = PhoneEvent::Failed(FailureCause::LineStopped);
        let placed = live.iter().filter(|call| call.status != CallStatus::Queued);
        let steps: Vec<_> = placed.filter_map(|call| call.apply(&stopped, now).ok()).collect();
        if steps.is_empty() {
            return Ok(());
        }
        let saved = self.store.save(steps.clone()).await?;
        let steps = steps.into_iter().zip(saved).filter(|(_, saved)| *saved);
        tick.next.extend(steps.filter_map(|(step, _)| step.into_next()));
        Ok(())
    }

    /// Whether a transition places a call on a line that takes only so many.
    fn waits_for_room(&self, step: &Transition) -> bool {
        self.line.is_real() && step.instruction == Some(Instruction::Place)
    }

    /// Applies a phone event to a call. If the call was due or has expired, that transition is
    /// saved first.
    pub async fn phone_event(&self, sid: &CallSid, event: &PhoneEvent, now: Moment) -> PhoneReply {
        self.apply_event(sid, event, |call| self.account_now(&call.account_sid, now)).await
    }

    pub(crate) async fn apply_event(
        &self,
        sid: &CallSid,
        event: &PhoneEvent,
        now: impl Fn(&Call) -> Moment,
    ) -> PhoneReply {
        let mut next = Vec::new();
        let outcome = loop {
            let call = match self.store.call(sid).await {
                Ok(Some(call)) => call,
                Ok(None) => break Err(PhoneEventError::NoSuchCall),
                Err(error) => break Err(PhoneEventError::Store(error)),
            };
            let now = now(&call);
            // A call that waits for room on a real line is placed by a tick alone.
            let by_time = self.advance_call(&call, now).filter(|step| !self.waits_for_room(step));
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
        let credentials = request.credentials.as_ref().ok_or(Unauthenticated)?;
        let account = credentials.sid;
        let is_own = account == route.account;
        // Any error in it is shown only to clients with valid credentials.
        let operation = versions::decode(route.version, route.resource, request);
        // A read checks the credentials itself, in the same step. Tests control only requests with
        // valid ones.
        let is_read = operation.as_ref().is_ok_and(Operation::is_read);
        if !is_own || !is_read || self.is_testing() {
            self.authenticate(Some(credentials)).await?;
        }
        // Another account's resources appear not to exist.
        if !is_own {
            return Err(not_found().into());
        }
        if let Some(testing) = self.testing() {
            let sid = random_bytes.request_sid();
            let (id, fault) = testing.begin(&account, request, route, sid, now);
            reply.logged = Some((account, id));
            if let Some((outcome, delivery)) = fault {
                reply.delivery = delivery;
                if let Some(error) = outcome.error() {
                    return Err(error.into());
                }
                if delivery.drop == Some(Drop::Before) {
                    return Err(ApiError::http(503, "The connection is dropped on purpose").into());
                }
            }
        }
        let now = self.account_now(&account, now);
        let store = &self.store;
        match operation? {
            Operation::List(list) => self.list(credentials, list).await,
            Operation::Create(new) => self.create(&account, new, now, random_bytes, reply).await,
            Operation::Fetch(sid) => {
                let found = self.caller_id(credentials, &sid).await?;
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

    async fn caller_id(
        &self,
        credentials: &Credentials,
        sid: &CallerIdSid,
    ) -> Result<Option<OutgoingCallerId>, ServiceError> {
        let admit = |account: &Account| account.authenticate(credentials);
        Ok(self.store.caller_id(&credentials.sid, sid, admit).await??)
    }

    async fn list(
        &self,
        credentials: &Credentials,
        mut request: ListRequest,
    ) -> Result<Answer, ServiceError> {
        if let Some(token) = request.token {
            let place = self.place(credentials, token).await?;
            let side = if token.is_before { Cursor::Before } else { Cursor::After };
            request.page.cursor = Some(side(place));
        }
        let page = match &request.filter {
            Some(filter) => {
                let admit = |account: &Account| account.authenticate(credentials);
                self.store.list(&credentials.sid, filter, request.page, admit).await??
            }
            None => {
                self.authenticate(Some(credentials)).await?;
                Page { number: request.page.number, ..Page::empty(request.page.size) }
            }
        };
        if request.page_must_exist && !page.exists() {
            let detail = format!("the last page is {}", page.last());
            return Err(ApiError::because(ErrorCode::PageOutOfRange, &detail).into());
        }
        Ok(Answer::CallerIds(page, request))
    }

    /// The position in the list that a token refers to.
    async fn place(
        &self,
        credentials: &Credentials,
        token: PageToken,
    ) -> Result<ListKey, ServiceError> {
        let PageToken { sid, updated, .. } = token;
        if let Some(updated) = updated {
            return Ok((Reverse(updated), sid));
        }
        let row = self.caller_id(credentials, &sid).await?;
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
        let mut call = call.ok_or_else(|| StoreError::new(NO_CODE))?;
        if let Some(testing) = self.testing() {
            call.validation_code =
                testing.code(account, &call.phone_number).or(call.validation_code);
        }
        let validation_request = call.to_validation_request();
        // A call without a delay is saved as ringing at once, which saves a transition and a write.
        let step = self.advance_call(&call, now).filter(|step| !self.waits_for_room(step));
        let (call, place) = match step {
            Some(step) => (step.call, step.instruction),
            None => (call, None),
        };
        let phone_number = call.phone_number;
        let admitted = self.store.add_call(call, &self.limits).await?;
        reply.asked_for = Some(AskedFor {
            at: now,
            account_sid: *account,
            phone_number,
            admitted: admitted.as_ref().map(|it| it.call.sid).map_err(|ineligible| *ineligible),
        });
        let admitted = admitted.map_err(refused)?;
        let wake_at = admitted.call.wake_at();
        reply.wake_at = wake_at.and_then(|at| self.to_host_time(&Accounts::Only(*account), at));
        reply.next.extend(admitted.replaced.and_then(Transition::into_next));
        let call = admitted.call;
        reply.next.extend(place.map(|instruction| LineCommand { call, instruction }));
        self.start_scripts(&reply.next);
        reply.wake_at = earliest(reply.wake_at, self.testing_wake_at());
        let request = validation_request.ok_or_else(|| StoreError::new(NO_CODE))?;
        Ok(Answer::ValidationRequest(request))
    }
}

impl Tick {
    /// How many calls were placed.
    fn placed(&self) -> usize {
        self.next.iter().filter(|command| command.instruction == Instruction::Place).count()
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
        Self {
            response,
            next: Vec::new(),
            wake_at: None,
            failure: None,
            delivery: Delivery::default(),
            follow_up: None,
            asked_for: None,
            logged: None,
        }
    }
}

fn refused(refused: Ineligible) -> ApiError {
    let limit = |detail| ApiError::because(ErrorCode::TooManyRequests, detail);
    let error = match refused {
        Ineligible::AlreadyValidated => ApiError::new(ErrorCode::AlreadyValidated),
        Ineligible::TooManyFailedEntries { .. } => limit(
            "this number has had too many wrong codes in a row; whoever runs the service can clear them",
        ),
        Ineligible::TooManyRings { .. } => limit("this number has been called too often"),
        Ineligible::TooManyCallsOfAccount => limit("too many calls of this account are under way"),
        Ineligible::TooManyCalls => limit("too many calls are under way"),
        Ineligible::TooManyCallbacks => {
            limit("too many status callbacks of this account are undelivered")
        }
        Ineligible::Line { limit: exceeded, .. } => limit(exceeded.detail()),
        Ineligible::Forbidden(rule @ Forbidden::Region(_)) => {
            ApiError::because(ErrorCode::RegionNotAllowed, &rule.to_string())
        }
        Ineligible::Forbidden(rule) => {
            ApiError::because(ErrorCode::NumberNotAllowed, &rule.to_string())
        }
        Ineligible::OptedOut => {
            ApiError::because(ErrorCode::NumberNotAllowed, "its owner has asked for no calls")
        }
        Ineligible::LineStopped => ApiError::because(
            ErrorCode::ServiceUnavailable,
            "the operator has stopped the phone line",
        ),
    };
    error.with_retry_after(refused.retry_after())
}
