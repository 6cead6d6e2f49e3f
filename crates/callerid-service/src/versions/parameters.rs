//! The parameters that all versions share, parsed and validated.

use std::fmt;

use callerid_core::form::{Form, MalformedForm};
use callerid_core::{
    CallDelay, ErrorCode, Filter, FriendlyName, MAX_PAGE_NUMBER, PageRequest, PageSize,
    PhoneNumber, decimal,
};

use callerid_core::representation::media_type;

use crate::api_error::ApiError;
use crate::request::Request;

/// The parameters of a query or a body, each read by its name.
pub(crate) struct Parameters<'a>(Form<'a>);

/// A filter, as requested.
#[derive(Default)]
pub(super) struct Filters {
    /// What rows must match; `None` if nothing can match.
    pub(super) filter: Option<Filter>,
    /// The original parameters, for the addresses of other pages.
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl<'a> Parameters<'a> {
    /// The parameters of the query.
    pub(crate) fn of_query(request: &Request<'a>) -> Result<Self, ApiError> {
        Form::decode(request.query.as_bytes()).map(Self).map_err(malformed)
    }

    /// The parameters of the body.
    pub(super) fn of_body(request: &Request<'a>) -> Result<Self, ApiError> {
        form(request).map(Self)
    }

    /// The value of the parameter that has one of these names.
    pub(super) fn value(&self, names: &[&'static str]) -> Result<Option<&str>, ApiError> {
        self.0.value(names).map_err(malformed)
    }

    /// The same, but `None` for an empty value. This applies to every optional parameter except a
    /// new name (see [`friendly_name`](Self::friendly_name)).
    pub(crate) fn given(&self, names: &[&'static str]) -> Result<Option<&str>, ApiError> {
        Ok(self.value(names)?.filter(|value| !value.is_empty()))
    }

    /// The requested page, by number and size.
    pub(crate) fn page(
        &self,
        number: &[&'static str],
        size: &[&'static str],
    ) -> Result<PageRequest, ApiError> {
        let number = match self.given(number)? {
            None => 0,
            Some(text) => {
                decimal(text).filter(|number| *number <= MAX_PAGE_NUMBER).ok_or_else(|| {
                    let detail =
                        format!("a page's number is a whole number from 0 to {MAX_PAGE_NUMBER}");
                    ApiError::because(ErrorCode::PageOutOfRange, &detail)
                })?
            }
        };
        let size = match self.given(size)? {
            None => PageSize::default(),
            Some(text) => PageSize::parse(text)
                .map_err(|error| because(ErrorCode::PageSizeTooLarge, &error))?,
        };
        Ok(PageRequest { number, size, cursor: None })
    }

    /// The filters of a list. An invalid number or name matches nothing.
    pub(super) fn filters(&self) -> Result<Filters, ApiError> {
        let mut filters = Filters { filter: Some(Filter::default()), parameters: Vec::new() };
        if let Some(text) = self.given(&["PhoneNumber"])? {
            filters.parameters.push(("PhoneNumber", text.to_owned()));
            // A number in the list may have been withdrawn from the plan.
            filters.narrow(PhoneNumber::parse_possible(text).ok(), |filter, number| {
                filter.phone_number = Some(number);
            });
        }
        if let Some(text) = self.given(&["FriendlyName"])? {
            filters.parameters.push(("FriendlyName", text.to_owned()));
            filters.narrow(FriendlyName::new(text).ok(), |filter, name| {
                filter.friendly_name = Some(name);
            });
        }
        Ok(filters)
    }

    /// The number to validate.
    pub(super) fn phone_number(&self) -> Result<PhoneNumber, ApiError> {
        let text = self.value(&["PhoneNumber"])?.ok_or_else(|| {
            ApiError::because(ErrorCode::InvalidPhoneNumber, "PhoneNumber is missing")
        })?;
        PhoneNumber::parse(text).map_err(|error| because(ErrorCode::InvalidPhoneNumber, &error))
    }

    /// A new name: `None` if the parameter is missing, and `Some(None)` if it is empty. An empty
    /// value selects the default name, as the specification's "Defaults to" suggests.
    pub(super) fn friendly_name(&self) -> Result<Option<Option<FriendlyName>>, ApiError> {
        match self.value(&["FriendlyName"])? {
            None => Ok(None),
            Some("") => Ok(Some(None)),
            Some(text) => FriendlyName::new(text)
                .map(|name| Some(Some(name)))
                .map_err(|error| because(ErrorCode::InvalidFriendlyName, &error)),
        }
    }

    /// The new name, which is required in an update.
    pub(super) fn new_name(&self) -> Result<Option<FriendlyName>, ApiError> {
        self.friendly_name()?.ok_or_else(|| {
            let detail = "FriendlyName is missing; leave it empty for the default name";
            ApiError::because(ErrorCode::InvalidFriendlyName, detail)
        })
    }

    /// How long to wait before ringing.
    pub(super) fn call_delay(&self) -> Result<CallDelay, ApiError> {
        self.given(&["CallDelay"])?.map_or(Ok(CallDelay::default()), |text| {
            CallDelay::parse(text).map_err(|error| because(ErrorCode::InvalidCallDelay, &error))
        })
    }
}

impl Filters {
    fn narrow<T>(&mut self, value: Option<T>, set: impl FnOnce(&mut Filter, T)) {
        match (value, &mut self.filter) {
            (Some(value), Some(filter)) => set(filter, value),
            _ => self.filter = None,
        }
    }
}

/// The form in a request's body. A body without a `Content-Type` is treated as a form.
pub(crate) fn form<'a>(request: &Request<'a>) -> Result<Form<'a>, ApiError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let is_form = request
        .content_type
        .map(media_type)
        .is_none_or(|essence| essence.eq_ignore_ascii_case(FORM));
    if !request.body.is_empty() && !is_form {
        let message = format!("Unsupported Content-Type: parameters are sent as {FORM}");
        return Err(ApiError::http(415, &message));
    }
    let is_encoded = |encoding: &str| !encoding.trim().eq_ignore_ascii_case("identity");
    if !request.body.is_empty() && request.content_encoding.is_some_and(is_encoded) {
        let message = "Unsupported Content-Encoding: a body is sent as it is";
        return Err(ApiError::http(415, message));
    }
    Form::decode(request.body).map_err(malformed)
}

/// The table's error for a parameter that a parser rejected.
fn because(code: ErrorCode, error: &dyn fmt::Display) -> ApiError {
    ApiError::because(code, &error.to_string())
}

pub(crate) fn malformed(error: MalformedForm) -> ApiError {
    ApiError::http(400, &format!("Malformed parameters: {error}"))
}
