//! The filters of the control surface's lists, and `wait`, which holds the response until something
//! matches. They are for tests.

use callerid_core::{AccountSid, CallSid, Moment, PhoneNumber};

use super::paging;
use crate::api_error::ApiError;
use crate::call::{Call, CallStatus};
use crate::callback::Callback;
use crate::request::Request;
use crate::service::{FollowUp, Reply, Service};
use crate::store::{Newest, Store};
use crate::versions::Parameters;

/// The longest wait, in seconds.
const WAIT_MAX: u64 = 60;

/// What a request's query asks for. The default is everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    phone_number: Option<PhoneNumber>,
    status: Option<String>,
    wait: u32,
}

/// What a request for a list asks for: a page of it or, in tests, what matches its query.
#[derive(Debug)]
pub(super) enum Asked {
    Page(Newest),
    Matching(Filter),
}

impl Asked {
    pub(super) fn decode<S: Store>(
        service: &Service<S>,
        request: &Request<'_>,
        most: usize,
    ) -> Result<Self, ApiError> {
        let filter = service.is_testing().then(|| Filter::decode(request)).transpose()?;
        match filter.filter(|filter| *filter != Filter::default()) {
            Some(filter) => Ok(Self::Matching(filter)),
            None => Ok(Self::Page(paging::decode(request, most)?)),
        }
    }

    /// Checks that calls can have the status.
    pub(super) fn of_calls(self) -> Result<Self, ApiError> {
        if let Self::Matching(Filter { status: Some(status), .. }) = &self {
            let invalid = |error| ApiError::http(400, &format!("Invalid status: {error}"));
            CallStatus::parse(status).map_err(invalid)?;
        }
        Ok(self)
    }

    /// The rows to read from the store.
    pub(super) const fn newest(&self) -> Newest {
        match self {
            Self::Page(newest) => *newest,
            Self::Matching(_) => Newest::ALL,
        }
    }

    /// Ends the page, and returns the address of the next one, if any.
    pub(super) fn next_page_uri<T>(
        &self,
        rows: &mut Vec<T>,
        path: &str,
        place: impl Fn(&T) -> (Moment, CallSid),
    ) -> Option<String> {
        match self {
            Self::Page(newest) => paging::next_page_uri(rows, newest, path, place),
            Self::Matching(_) => None,
        }
    }

    /// See [`Filter::keep`].
    pub(super) fn filter<T>(
        &self,
        rows: &mut Vec<T>,
        matches: impl Fn(&Filter, &T) -> bool,
        account: AccountSid,
        reply: &mut Reply,
    ) {
        if let Self::Matching(filter) = self {
            filter.keep(rows, matches, account, reply);
        }
    }
}

impl Filter {
    pub(super) fn decode(request: &Request<'_>) -> Result<Self, ApiError> {
        let query = Parameters::of_query(request)?;
        let number = query.given(&["phone_number"])?.map(PhoneNumber::parse).transpose();
        let number = number
            .map_err(|error| ApiError::http(400, &format!("Invalid phone_number: {error}")))?;
        let wait = match query.given(&["wait"])?.map(callerid_core::decimal) {
            None => 0,
            Some(Some(seconds)) if seconds <= WAIT_MAX => seconds,
            Some(_) => {
                let message = format!("Invalid wait: expected at most {WAIT_MAX} seconds");
                return Err(ApiError::http(400, &message));
            }
        };
        Ok(Self {
            phone_number: number,
            status: query.given(&["status"])?.map(str::to_owned),
            wait: u32::try_from(wait).unwrap_or_default(),
        })
    }

    pub(super) fn matches_call(&self, call: &Call) -> bool {
        self.matches(&call.phone_number, call.status.as_str())
    }

    pub(super) fn matches_callback(&self, callback: &Callback) -> bool {
        self.phone_number.is_none_or(|number| callback.phone_number() == Some(number))
            && self.status.as_deref().is_none_or(|status| status == callback.status())
    }

    /// Whether something of this number and status matches.
    pub(super) fn matches(&self, number: &PhoneNumber, status: &str) -> bool {
        self.phone_number.is_none_or(|it| it == *number)
            && self.status.as_deref().is_none_or(|it| it == status)
    }

    /// Keeps what matches. If nothing does, the host may wait.
    pub(super) fn keep<T>(
        &self,
        rows: &mut Vec<T>,
        matches: impl Fn(&Self, &T) -> bool,
        account: AccountSid,
        reply: &mut Reply,
    ) {
        rows.retain(|row| matches(self, row));
        if rows.is_empty() && self.wait > 0 {
            reply.follow_up = Some(FollowUp::Wait { account, seconds: self.wait });
        }
    }
}
