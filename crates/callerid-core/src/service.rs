//! The [`Service`]: operations on a store, with the rules of both; one for every host.

use std::borrow::Cow;

use crate::control;
use crate::form::push_encoded;
use crate::http::{Request, Response};
use crate::operation::{ListRequest, Operation, Route};
use crate::representation::{CallerIdPage, Document, PageUris, Representation};
use crate::{
    Account, AccountSid, Call, CallSid, Credentials, Entropy, ErrorCode, Instruction, Moment,
    NewCallerId, OutgoingCallerId, Page, PhoneEvent, RestException, Step, Store, StoreError,
    UnexpectedEvent, ValidationRefused, ValidationRequest,
};

/// Answers requests over a store. It keeps nothing itself, so any number of them may share one.
///
/// A host gives it requests ([`respond`](Self::respond)), what happens at the phone
/// ([`phone_event`](Self::phone_event)) and the time ([`tick`](Self::tick)), each with the `now` it
/// has; what comes back says what the host must do next. All of that is saved before it is said, so a
/// host that is killed finds it again with its first `tick`.
#[derive(Debug)]
pub struct Service<S> {
    store: S,
}

/// A response, and what the host must do besides sending it.
#[derive(Debug)]
pub struct Reply {
    /// What to send.
    pub response: Response,
    /// What the phone line is to do, in this order.
    pub next: Vec<Next>,
    /// A [`tick`](Service::tick) is due at this moment, if not before.
    pub wake_at: Option<Moment>,
    /// Why the response is a 500: for the host's log, not for whoever asked.
    pub failure: Option<StoreError>,
}

/// Something for the phone line to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// With which call.
    pub call: Call,
    /// What.
    pub instruction: Instruction,
}

/// What the time has done.
#[derive(Debug, Default)]
pub struct Tick {
    /// What the phone line is to do, in this order.
    pub next: Vec<Next>,
    /// When to tick again; `None` while no call is live.
    pub wake_at: Option<Moment>,
}

/// What an event of the phone has done.
#[derive(Debug)]
pub struct PhoneReply {
    /// The call after the event.
    pub outcome: Result<Call, PhoneEventRefused>,
    /// What the phone line is to do, in this order.
    pub next: Vec<Next>,
}

/// Why an event of the phone changed nothing.
#[derive(Debug)]
pub enum PhoneEventRefused {
    /// There is no such call.
    NoSuchCall,
    /// The call is not in a state in which that can happen.
    Unexpected(UnexpectedEvent),
    /// The store failed.
    Store(StoreError),
}

/// How many calls one `tick` takes up before it looks at the clock again.
const TICK_BATCH: usize = 1000;

impl<S: Store> Service<S> {
    /// A service over that store.
    pub const fn new(store: S) -> Self {
        Self { store }
    }

    /// The store it works on.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The store it worked on.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Answers a request of the API, or of the control surface under `/_callerid/`.
    ///
    /// `now` is the time, `entropy` 64 random bytes that have not been used before.
    pub async fn respond(&self, request: &Request<'_>, now: Moment, entropy: &Entropy) -> Reply {
        if let Some(path) = request.path.strip_prefix(control::PREFIX) {
            return control::respond(self, path, request, now).await;
        }
        let Some(route) = Route::decode(request.path) else {
            let exception = RestException::not_found(request.path);
            return Reply::new(exception_response(Representation::Xml, &exception));
        };
        let mut reply = Reply::new(Response { status: 0, headers: Vec::new(), body: Vec::new() });
        let answer = self.answer(&route, request, now, entropy, &mut reply).await;
        let representation = route.representation;
        reply.response = match &answer {
            Ok(Answer::Deleted) => Response { status: 204, headers: Vec::new(), body: Vec::new() },
            Ok(Answer::CallerIds(page)) => ok(representation, &Document::CallerIds(page)),
            Ok(Answer::CallerId(row)) => ok(representation, &Document::CallerId(row)),
            Ok(Answer::ValidationRequest(request)) => {
                ok(representation, &Document::ValidationRequest(request))
            }
            Err(Failure::Refused(exception)) => {
                let mut response = exception_response(representation, exception);
                if exception.status == ErrorCode::MethodNotAllowed.status() {
                    response.headers.push(("allow", Cow::Borrowed(route.resource.allow())));
                }
                response
            }
            Err(Failure::Store(_)) => {
                exception_response(representation, &RestException::new(ErrorCode::Internal))
            }
        };
        if let Err(Failure::Store(error)) = answer {
            reply.failure = Some(error);
        }
        reply
    }

    /// The account whose credentials an `Authorization` header carries.
    ///
    /// # Errors
    /// The 401 to answer with, or the store's failure.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Account, Failure> {
        let credentials = authorization.and_then(Credentials::from_authorization);
        if let Some(credentials) = credentials {
            let account = self.store.account(&credentials.sid).await?;
            if let Some(account) = account.filter(|it| it.auth_token == credentials.auth_token) {
                return Ok(account);
            }
        }
        Err(RestException::new(ErrorCode::Authenticate).into())
    }

    /// Places the calls that are due and ends those whose codes have expired.
    ///
    /// # Errors
    /// The store's failure; what was due still is.
    pub async fn tick(&self, now: Moment) -> Result<Tick, StoreError> {
        let mut tick = Tick::default();
        loop {
            let due = self.store.due(now, TICK_BATCH).await?;
            let steps: Vec<Step> = due.iter().filter_map(|call| call.at(now)).collect();
            if steps.is_empty() {
                break;
            }
            let saved = self.store.save(steps.clone()).await?;
            let steps = steps.into_iter().zip(saved).filter(|(_, saved)| *saved);
            tick.next.extend(steps.filter_map(|(step, _)| step.into_next()));
        }
        tick.wake_at = self.store.wake_at().await?;
        Ok(tick)
    }

    /// Tells a call what has happened at its phone. If the time has done something to it first (it was due,
    /// or has expired), that is saved first.
    pub async fn phone_event(&self, sid: &CallSid, event: &PhoneEvent, now: Moment) -> PhoneReply {
        let mut next = Vec::new();
        let outcome = loop {
            let call = match self.store.call(sid).await {
                Ok(Some(call)) => call,
                Ok(None) => break Err(PhoneEventRefused::NoSuchCall),
                Err(error) => break Err(PhoneEventRefused::Store(error)),
            };
            let by_time = call.at(now);
            let is_last = by_time.is_none();
            let step = match by_time.map_or_else(|| call.after(event, now), Ok) {
                Ok(step) => step,
                Err(unexpected) => break Err(PhoneEventRefused::Unexpected(unexpected)),
            };
            match self.store.save(vec![step.clone()]).await {
                Err(error) => break Err(PhoneEventRefused::Store(error)),
                // Another step came first: look again. It went on by that, so this ends.
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

    async fn answer(
        &self,
        route: &Route,
        request: &Request<'_>,
        now: Moment,
        entropy: &Entropy,
        reply: &mut Reply,
    ) -> Result<Answer, Failure> {
        let account = self.authenticate(request.authorization).await?.sid;
        let not_found = || RestException::not_found(request.path);
        // Another account's resources are as if they did not exist.
        if account != route.account {
            return Err(not_found().into());
        }
        let store = &self.store;
        match Operation::decode(route.resource, request)? {
            Operation::List(list) => self.list(&account, &list, request.path).await,
            Operation::Create(new) => self.create(&account, new, now, entropy, reply).await,
            Operation::Fetch(sid) => {
                let caller_id = store.caller_id(&account, &sid).await?.ok_or_else(not_found)?;
                Ok(Answer::CallerId(caller_id))
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
        request: &ListRequest,
        path: &str,
    ) -> Result<Answer, Failure> {
        let page = match &request.filter {
            Some(filter) => self.store.list(account, filter, request.page).await?,
            None => Page { number: request.page.number, ..Page::empty(request.page.size) },
        };
        if !page.exists() {
            let detail = format_args!("the last page is {}", page.last());
            return Err(RestException::because(ErrorCode::PageOutOfRange, detail).into());
        }
        let uris = page_uris(&page, &request.parameters, path);
        Ok(Answer::CallerIds(CallerIdPage { page, uris }))
    }

    async fn create(
        &self,
        account: &AccountSid,
        new: NewCallerId,
        now: Moment,
        entropy: &Entropy,
        reply: &mut Reply,
    ) -> Result<Answer, Failure> {
        let call = Call::new(*account, new, entropy, now);
        let call = call.ok_or_else(|| StoreError::new("the entropy holds no code"))?;
        let validation_request = call.to_validation_request();
        // A call without a delay is saved as ringing at once: one step, and one write.
        let (call, place) = match call.at(now) {
            Some(step) => (step.call, step.instruction),
            None => (call, None),
        };
        let admitted = self.store.add_call(call).await?.map_err(refused)?;
        reply.wake_at = admitted.call.wake_at();
        reply.next.extend(admitted.replaced.and_then(Step::into_next));
        let call = admitted.call;
        reply.next.extend(place.map(|instruction| Next { call, instruction }));
        let request =
            validation_request.ok_or_else(|| StoreError::new("a new call has no code"))?;
        Ok(Answer::ValidationRequest(request))
    }
}

impl Step {
    fn into_next(self) -> Option<Next> {
        let Self { call, instruction, .. } = self;
        instruction.map(|instruction| Next { call, instruction })
    }
}

impl Reply {
    pub(crate) fn new(response: Response) -> Self {
        Self { response, next: Vec::new(), wake_at: None, failure: None }
    }
}

enum Answer {
    CallerIds(CallerIdPage),
    CallerId(OutgoingCallerId),
    ValidationRequest(ValidationRequest),
    Deleted,
}

/// Why a request is not done.
#[derive(Debug)]
pub enum Failure {
    /// It is refused, with this.
    Refused(RestException),
    /// The store failed.
    Store(StoreError),
}

impl From<RestException> for Failure {
    fn from(exception: RestException) -> Self {
        Self::Refused(exception)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn refused(refused: ValidationRefused) -> RestException {
    match refused {
        ValidationRefused::AlreadyValidated => RestException::new(ErrorCode::AlreadyValidated),
        ValidationRefused::TooManyFailedEntries => RestException::because(
            ErrorCode::TooManyRequests,
            format_args!(
                "this number has had {} wrong codes in a row; whoever runs the service can unlock it",
                crate::FAILED_ENTRIES_MAX
            ),
        ),
    }
}

fn ok(representation: Representation, document: &Document<'_>) -> Response {
    response(200, representation, document)
}

/// The response that carries an error, with the challenge that goes with a 401.
pub fn exception_response(representation: Representation, exception: &RestException) -> Response {
    let document = Document::Exception(exception);
    let mut response = response(exception.status, representation, &document);
    if exception.status == ErrorCode::Authenticate.status() {
        response.headers.push(CHALLENGE);
    }
    response
}

/// The response that refuses a request for a host's reasons (it is too long, it took too long), written as
/// what its path names would be.
pub fn refusal(path: &str, exception: &RestException) -> Response {
    if path.starts_with(control::PREFIX) {
        return control::exception_response(exception);
    }
    let representation = Route::decode(path).map(|route| route.representation);
    exception_response(representation.unwrap_or_default(), exception)
}

pub(crate) const CHALLENGE: (&str, Cow<'static, str>) =
    ("www-authenticate", Cow::Borrowed("Basic realm=\"Twilio API\""));

fn response(status: u16, representation: Representation, document: &Document<'_>) -> Response {
    let content_type = Cow::Borrowed(representation.content_type());
    let body = representation.encode(document);
    Response { status, headers: vec![("content-type", content_type)], body }
}

/// Addresses as answers carry them: path and query, the filter's parameters after the page's.
fn page_uris<T>(page: &Page<T>, parameters: &[(&str, String)], path: &str) -> PageUris {
    let uri = |number: u64| {
        let mut uri = format!("{path}?page={number}&num={}", page.size);
        for (name, value) in parameters {
            uri.push('&');
            uri.push_str(name);
            uri.push('=');
            push_encoded(&mut uri, value);
        }
        uri
    };
    PageUris {
        this: uri(page.number),
        first: uri(0),
        previous: page.previous().map(uri).unwrap_or_default(),
        next: page.next().map(uri).unwrap_or_default(),
        last: uri(page.last()),
    }
}
