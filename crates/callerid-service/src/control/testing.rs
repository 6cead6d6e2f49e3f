//! The part of the control surface that tests use. It exists only if the service is
//! [under the control of tests](Service::with_testing), and all of it belongs to an account.
//!
//! | request | does |
//! |---|---|
//! | `POST reset` | resets the account to its seed |
//! | `POST seed` | adds caller IDs, codes and phone scripts |
//! | `GET snapshot`, `PUT snapshot` | everything of the account, and replaces it |
//! | `GET snapshots`, `PUT snapshots/{name}`, `POST snapshots/{name}/restore`, `DELETE snapshots/{name}` | the same, kept under a name |
//! | `GET clock`, `POST clock`, `POST clock/advance`, `DELETE clock` | the account's clock |
//! | `GET faults`, `POST faults`, `DELETE faults`, `POST faults/{id}/release`, `DELETE faults/{id}` | requests that go wrong on purpose |
//! | `GET phones`, `PUT phones/{number or *}`, `DELETE phones/{number or *}`, `DELETE phones` | what phones do by themselves |
//! | `GET caller_ids` | the account's caller IDs, in any number, as JSON |
//! | `GET codes/{number}` | the code of a number's live call |
//! | `GET requests`, `DELETE requests` | the account's last requests to the API |
//! | `POST sandboxes`, `DELETE sandboxes/{AccountSid}` | throw-away accounts |
//! | `GET openapi.json` | a description of the whole control surface |
//!
//! `GET calls`, `callbacks` and `caller_ids` take filters: `phone_number`, `status`, and `wait`, the
//! seconds to wait until something matches.

use callerid_core::representation::json;
use callerid_core::{
    AccountSid, AuthToken, ErrorCode, Moment, OutgoingCallerId, PhoneNumber, decimal,
};
use percent_encoding::percent_decode_str;

use super::filter::Filter;
use crate::account::Account;
use crate::api_error::{ApiError, ServiceError};
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::service::{FollowUp, Reply, Service};
use crate::store::{AccountContents, Newest, Store, StoreError};
use crate::testing::answers::{
    AddSandbox, Advance, CallerIds, Clock, Count, KeptSnapshot, LiveCode, SNAPSHOT_FORMAT,
    SandboxAccount, SetClock, Snapshot, Snapshots,
};
use crate::testing::document::{NumberOrAny, decode};
use crate::testing::{Controls, PhoneScript, Sandbox, Seed, Testing};
use crate::versions::Parameters;

/// The maximum number of snapshots, and of sandboxes, of an account.
const KEPT_MAX: usize = 100;

/// What a path names.
pub(super) enum Resource {
    Reset,
    Seed,
    Snapshot,
    Snapshots,
    NamedSnapshot(String),
    RestoreSnapshot(String),
    Clock,
    Advance,
    Faults,
    Fault(u64),
    ReleaseFault(u64),
    Phones,
    Phone(NumberOrAny),
    Code(PhoneNumber),
    Requests,
    Sandboxes,
    Sandbox(AccountSid),
    CallerIds,
    Description,
}

/// The paths of resources, as the description has them, and their methods, as an `Allow` header
/// lists them.
pub(super) const RESOURCES: &[(&str, &str)] = &[
    ("reset", "POST"),
    ("seed", "POST"),
    ("snapshot", "GET, PUT"),
    ("snapshots", "GET"),
    ("snapshots/{name}", "PUT, DELETE"),
    ("snapshots/{name}/restore", "POST"),
    ("clock", "GET, POST, DELETE"),
    ("clock/advance", "POST"),
    ("faults", "GET, POST, DELETE"),
    ("faults/{id}", "DELETE"),
    ("faults/{id}/release", "POST"),
    ("phones", "GET, DELETE"),
    ("phones/{number}", "PUT, DELETE"),
    ("codes/{number}", "GET"),
    ("requests", "GET, DELETE"),
    ("sandboxes", "POST"),
    ("sandboxes/{AccountSid}", "DELETE"),
    ("caller_ids", "GET"),
    ("openapi.json", "GET"),
];

impl Resource {
    pub(super) fn decode(path: &str) -> Option<Self> {
        let decode = |segment| percent_decode_str(segment).decode_utf8();
        let segments = path.split('/').map(decode).collect::<Result<Vec<_>, _>>().ok()?;
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        Some(match segments[..] {
            ["reset"] => Self::Reset,
            ["seed"] => Self::Seed,
            ["snapshot"] => Self::Snapshot,
            ["snapshots"] => Self::Snapshots,
            ["snapshots", name] => Self::NamedSnapshot(name.to_owned()),
            ["snapshots", name, "restore"] => Self::RestoreSnapshot(name.to_owned()),
            ["clock"] => Self::Clock,
            ["clock", "advance"] => Self::Advance,
            ["faults"] => Self::Faults,
            ["faults", id] => Self::Fault(decimal(id)?),
            ["faults", id, "release"] => Self::ReleaseFault(decimal(id)?),
            ["phones"] => Self::Phones,
            ["phones", number] => Self::Phone(NumberOrAny::parse(number).ok()?),
            ["codes", number] => Self::Code(PhoneNumber::parse(number).ok()?),
            ["requests"] => Self::Requests,
            ["sandboxes"] => Self::Sandboxes,
            ["caller_ids"] => Self::CallerIds,
            ["sandboxes", sid] => Self::Sandbox(AccountSid::parse(sid).ok()?),
            ["openapi.json"] => Self::Description,
            _ => return None,
        })
    }

    /// The path in [`RESOURCES`].
    pub(super) const fn path(&self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
            Self::Snapshots => "snapshots",
            Self::NamedSnapshot(_) => "snapshots/{name}",
            Self::RestoreSnapshot(_) => "snapshots/{name}/restore",
            Self::Clock => "clock",
            Self::Advance => "clock/advance",
            Self::Faults => "faults",
            Self::Fault(_) => "faults/{id}",
            Self::ReleaseFault(_) => "faults/{id}/release",
            Self::Phones => "phones",
            Self::Phone(_) => "phones/{number}",
            Self::Code(_) => "codes/{number}",
            Self::Requests => "requests",
            Self::Sandboxes => "sandboxes",
            Self::Sandbox(_) => "sandboxes/{AccountSid}",
            Self::CallerIds => "caller_ids",
            Self::Description => "openapi.json",
        }
    }
}

/// Checks that there are requests for tests: not on a real line, whose calls are not simulated.
///
/// # Errors
/// A 404 if tests do not control the service, and a 409 on a real line.
pub(super) fn check<S: Store>(service: &Service<S>, path: &str) -> Result<(), ApiError> {
    if service.line().is_real() {
        let message = "Tests control calls on the virtual line only, not on a real one";
        return Err(ApiError::http(409, message));
    }
    if service.is_testing() { Ok(()) } else { Err(ApiError::not_found(path)) }
}

/// A request of a test, after its account is known.
pub(super) struct Call<'a, S> {
    pub(super) service: &'a Service<S>,
    pub(super) testing: &'a Testing,
    pub(super) account: AccountSid,
    pub(super) request: &'a Request<'a>,
    pub(super) host_now: Moment,
    pub(super) random_bytes: &'a RandomBytes,
}

impl<S: Store> Call<'_, S> {
    /// Answers with JSON.
    pub(super) async fn answer(
        self,
        resource: Resource,
        reply: &mut Reply,
    ) -> Result<String, ServiceError> {
        let Self { service, testing, account, request, host_now, random_bytes } = self;
        let body = request.body;
        let not_found = || ApiError::not_found(request.path);
        match (resource, request.method) {
            (Resource::Reset, _) => {
                let caller_ids = self.reset().await?;
                Ok(json::to_string(&Count { caller_ids }))
            }
            (Resource::Seed, _) => {
                let seed = Seed::parse(body)?;
                let laid = service.lay_seed(testing, &account, &seed, host_now, random_bytes);
                let caller_ids = laid.await?;
                Ok(json::to_string(&Count { caller_ids }))
            }
            (Resource::Snapshot, "GET") => {
                let contents = service.store().contents(&account).await?;
                Ok(json::to_string(&Snapshot { format: SNAPSHOT_FORMAT, contents }))
            }
            (Resource::Snapshot, _) => {
                let Snapshot { format, contents } = decode(body)?;
                if format != SNAPSHOT_FORMAT {
                    let expected = format!("Invalid document: format: expected {SNAPSHOT_FORMAT}");
                    return Err(ApiError::http(400, &expected).into());
                }
                self.restore(contents, reply).await
            }
            (Resource::Snapshots, _) => {
                let view = |(name, contents): (&String, &AccountContents)| KeptSnapshot {
                    name: name.clone(),
                    caller_ids: contents.caller_ids.len(),
                    calls: contents.calls.len(),
                };
                let snapshots =
                    testing.of(&account, |it| it.snapshots.iter().map(view).collect::<Vec<_>>());
                Ok(json::to_string(&Snapshots { snapshots }))
            }
            (Resource::NamedSnapshot(name), "PUT") => {
                let contents = service.store().contents(&account).await?;
                let caller_ids = contents.caller_ids.len();
                testing.of(&account, |controls| {
                    let is_new = !controls.snapshots.contains_key(&name);
                    if is_new && controls.snapshots.len() >= KEPT_MAX {
                        return Err(too_many("snapshots"));
                    }
                    controls.snapshots.insert(name, contents);
                    Ok(())
                })?;
                Ok(json::to_string(&Count { caller_ids }))
            }
            (Resource::NamedSnapshot(name), _) => {
                let removed = testing.of(&account, |it| it.snapshots.remove(&name));
                removed.map(|_| nothing()).ok_or_else(|| not_found().into())
            }
            (Resource::RestoreSnapshot(name), _) => {
                let kept = testing.of(&account, |it| it.snapshots.get(&name).cloned());
                self.restore(kept.ok_or_else(not_found)?, reply).await
            }
            (Resource::Clock, "GET") => Ok(self.clock()),
            (Resource::Clock, "DELETE") => {
                testing.of(&account, |controls| controls.reset_clock());
                self.follow_clock(reply).await
            }
            (Resource::Clock, _) => {
                let SetClock { now, frozen } = decode(body)?;
                testing.of(&account, |controls| {
                    let now = now.unwrap_or_else(|| controls.now(host_now));
                    controls.set_clock(now, frozen.unwrap_or(controls.is_frozen()), host_now);
                });
                self.follow_clock(reply).await
            }
            (Resource::Advance, _) => {
                let Advance { seconds, milliseconds } = decode(body)?;
                let now = service.account_now(&account, host_now).plus_seconds(seconds);
                let to = now.unix_millis().saturating_add(milliseconds.into());
                let to = Moment::from_unix_millis(to);
                reply.follow_up = Some(FollowUp::Advance { account, to });
                let frozen = testing.of(&account, |controls| controls.is_frozen());
                Ok(json::to_string(&Clock { now: to, frozen }))
            }
            (Resource::Faults, "GET") => {
                let faults = testing.of(&account, |it| json::to_string(&it.faults.list(host_now)));
                Ok(format!("{{\"faults\":{faults}}}"))
            }
            (Resource::Faults, "DELETE") => {
                testing.of(&account, |controls| controls.faults.clear());
                Ok(nothing())
            }
            (Resource::Faults, _) => {
                let fault = testing.of(&account, |it| it.faults.add(body, host_now))?;
                Ok(json::to_string(&fault))
            }
            (Resource::Fault(id), _) => match testing.of(&account, |it| it.faults.remove(id)) {
                true => Ok(nothing()),
                false => Err(not_found().into()),
            },
            (Resource::ReleaseFault(id), _) => {
                match testing.of(&account, |it| it.faults.release(id)) {
                    true => Ok(nothing()),
                    false => Err(not_found().into()),
                }
            }
            (Resource::Phones, "GET") => {
                let phones = testing.of(&account, |it| json::to_string(&it.phones));
                Ok(format!("{{\"phones\":{phones}}}"))
            }
            (Resource::Phones, _) => {
                testing.of(&account, |controls| controls.phones.clear());
                Ok(nothing())
            }
            (Resource::Phone(number), "PUT") => {
                let script: PhoneScript = decode(body)?;
                let shown = json::to_string(&script);
                testing.of(&account, |controls| controls.phones.insert(number, script));
                Ok(format!("{{\"script\":{shown}}}"))
            }
            (Resource::Phone(number), _) => {
                let removed = testing.of(&account, |it| it.phones.remove(&number));
                removed.map(|_| nothing()).ok_or_else(|| not_found().into())
            }
            (Resource::Code(number), _) => {
                let calls = service.store().calls(&account, Newest::ALL).await?;
                let live = calls.iter().find(|it| it.phone_number == number && it.status.is_live());
                let code = live.and_then(|it| Some((it.validation_code?, it.sid)));
                let (validation_code, call_sid) = code.ok_or_else(not_found)?;
                let code = LiveCode { phone_number: number, call_sid, validation_code };
                Ok(json::to_string(&code))
            }
            (Resource::Requests, "GET") => {
                let since = Parameters::of_query(request)?.given(&["since"])?.map(decimal);
                let since = since.unwrap_or(Some(0)).ok_or_else(|| {
                    ApiError::http(400, "Invalid since: expected the id of a request")
                })?;
                let requests =
                    testing.of(&account, |it| json::to_string(&it.requests.since(since)));
                Ok(format!("{{\"requests\":{requests}}}"))
            }
            (Resource::Requests, _) => {
                testing.of(&account, |controls| controls.requests.clear());
                Ok(nothing())
            }
            (Resource::CallerIds, _) => {
                let filter = Filter::decode(request)?;
                let mut caller_ids = service.store().contents(&account).await?.caller_ids;
                let matches = |filter: &Filter, caller_id: &OutgoingCallerId| {
                    filter.matches(&caller_id.phone_number, "")
                };
                filter.keep(&mut caller_ids, matches, account, reply);
                Ok(json::to_string(&CallerIds { caller_ids }))
            }
            (Resource::Description, _) => Ok(include_str!("openapi.json").to_owned()),
            (Resource::Sandboxes, _) => self.add_sandbox(reply).await,
            (Resource::Sandbox(sid), _) => {
                let is_its = |owner: AccountSid| owner == account || sid == account;
                if !testing.sandbox_owner(&sid).is_some_and(is_its) {
                    return Err(not_found().into());
                }
                service.remove_sandbox(testing, &sid).await?;
                Ok(nothing())
            }
        }
    }

    /// Resets the account to its seed. Its clock, its snapshots and its token stay.
    async fn reset(&self) -> Result<usize, StoreError> {
        let Self { service, testing, account, host_now, random_bytes, .. } = self;
        let seed = testing.seed(account);
        let now = service.account_now(account, *host_now);
        let caller_ids = seed.caller_ids(account, now, random_bytes);
        let count = caller_ids.len();
        let contents = AccountContents { caller_ids, ..AccountContents::default() };
        service.store().replace_contents(account, contents).await?;
        testing.of(account, |controls| {
            let Controls { clock, snapshots, sandbox, .. } = std::mem::take(controls);
            *controls = Controls { clock, snapshots, sandbox, ..Controls::default() };
            controls.add_seed(&seed);
        });
        Ok(count)
    }

    async fn restore(
        self,
        contents: AccountContents,
        reply: &mut Reply,
    ) -> Result<String, ServiceError> {
        let Self { service, account, .. } = self;
        let contents = contents.of_account(account);
        let caller_ids = contents.caller_ids.len();
        service.store().replace_contents(&account, contents).await?;
        self.follow_clock(reply).await?;
        Ok(json::to_string(&Count { caller_ids }))
    }

    fn clock(&self) -> String {
        let Self { testing, host_now, .. } = self;
        let clock = testing.of(&self.account, |controls| Clock {
            now: controls.now(*host_now),
            frozen: controls.is_frozen(),
        });
        json::to_string(&clock)
    }

    /// Does what has become due, and answers with the clock.
    async fn follow_clock(&self, reply: &mut Reply) -> Result<String, ServiceError> {
        let tick = self.service.tick(self.host_now).await?;
        reply.next = tick.next;
        reply.wake_at = tick.wake_at;
        Ok(self.clock())
    }

    async fn add_sandbox(&self, reply: &mut Reply) -> Result<String, ServiceError> {
        let Self { service, testing, account, request, host_now, random_bytes } = self;
        let AddSandbox { seed, ttl_s } = decode(request.body)?;
        seed.check()?;
        if testing.sandboxes(account) >= KEPT_MAX {
            return Err(too_many("sandboxes").into());
        }
        let sid = AccountSid::from_random_bytes(&random_bytes.call_sid);
        let auth_token = AuthToken::from_random_bytes(&token_bytes(random_bytes));
        let ends_at = ttl_s.map(|seconds| host_now.plus_seconds(seconds));
        let added = Account { sid, auth_token: auth_token.clone() };
        service.store().add_sandbox(added).await?;
        service.lay_seed(testing, &sid, &seed, *host_now, random_bytes).await?;
        let sandbox = Sandbox { owner: *account, seed, ends_at };
        testing.of(&sid, |controls| controls.sandbox = Some(sandbox));
        reply.wake_at = ends_at;
        Ok(json::to_string(&SandboxAccount { account_sid: sid, auth_token, ends_at }))
    }
}

impl AccountContents {
    /// These contents in an account. Calls belong to the account that made them.
    fn of_account(mut self, account: AccountSid) -> Self {
        self.calls.retain(|call| call.account_sid == account);
        self.callbacks.retain(|callback| callback.account_sid == account);
        for row in &mut self.caller_ids {
            row.account_sid = account;
        }
        self
    }
}

/// Random bytes for a token, which no validation of the same request uses.
fn token_bytes(random_bytes: &RandomBytes) -> [u8; 16] {
    let mut random = random_bytes.validation_code.iter();
    std::array::from_fn(|_| random.next().copied().unwrap_or_default())
}

fn too_many(what: &str) -> ApiError {
    ApiError::because(
        ErrorCode::TooManyRequests,
        &format!("an account has at most {KEPT_MAX} {what}"),
    )
}

/// The answer of a request after which there is nothing to say.
fn nothing() -> String {
    "{}".to_owned()
}
