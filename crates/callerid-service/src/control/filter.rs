//! The filters of the control surface's lists, and `wait`, which holds the response until something
//! matches. They are for tests.

use callerid_core::{AccountSid, PhoneNumber};

use crate::api_error::ApiError;
use crate::call::{Call, CallStatus};
use crate::callback::Callback;
use crate::request::Request;
use crate::service::FollowUp;
use crate::versions::Parameters;

/// The longest wait, in seconds.
const WAIT_MAX: u64 = 60;

/// What a request asks for: everything, or what matches its query.
#[derive(Debug, Default)]
pub(super) struct Filter {
    phone_number: Option<PhoneNumber>,
    status: Option<String>,
    wait: u32,
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

    /// Whether the request filters.
    pub(super) fn is_given(&self) -> bool {
        self.phone_number.is_some() || self.status.is_some() || self.wait > 0
    }

    /// Checks that calls can have the status.
    pub(super) fn of_calls(self) -> Result<Self, ApiError> {
        match self.status.as_deref().map(CallStatus::parse) {
            Some(Err(error)) => Err(ApiError::http(400, &format!("Invalid status: {error}"))),
            _ => Ok(self),
        }
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

    /// What to do if nothing matches.
    pub(super) fn follow_up(&self, account: AccountSid) -> Option<FollowUp> {
        (self.wait > 0).then_some(FollowUp::Wait { account, seconds: self.wait })
    }
}
