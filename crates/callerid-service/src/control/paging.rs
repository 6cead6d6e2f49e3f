//! Pages of the control surface's lists: `num` rows, from the newest on or after the place that a PageToken names. An answer
//! with more after it has the address of the next as `next_page_uri`.
//!
//! A token is the Sid of the last row's call and then the millisecond at which it was created, in hexadecimal: the place is
//! kept while rows come and go.

use callerid_core::{CallSid, ErrorCode, Moment, PageSize, SID_LENGTH};

use crate::api_error::ApiError;
use crate::request::Request;
use crate::store::Newest;
use crate::versions::Parameters;

/// Calls of one answer at most, so that it stays under a megabyte.
pub(super) const MAX_CALLS: usize = 1_000;
/// Callbacks of one answer at most: each has addresses.
pub(super) const MAX_CALLBACKS: usize = 250;

/// The rows that a request asks for, and one more: whether there is a next page.
pub(super) fn decode(request: &Request<'_>, most: usize) -> Result<Newest, ApiError> {
    let query = Parameters::of_query(request)?;
    let size: PageSize = query.page(&["page", "Page"], &["num", "PageSize"])?.size;
    let rows = usize::try_from(size.rows()).unwrap_or(most).min(most);
    let before = query.given(&["PageToken"])?.map(|text| {
        let detail = "pass on the next_page_uri of a page as it is";
        place(text).ok_or_else(|| ApiError::because(ErrorCode::InvalidPageToken, detail))
    });
    Ok(Newest { before: before.transpose()?, limit: rows.saturating_add(1) })
}

/// Takes the row that is one too many away, and returns the next page's address if there was one.
pub(super) fn next_page_uri<T>(
    rows: &mut Vec<T>,
    asked: &Newest,
    path: &str,
    place: impl Fn(&T) -> (Moment, CallSid),
) -> Option<String> {
    if rows.len() < asked.limit {
        return None;
    }
    rows.pop();
    let (created_at, sid) = place(rows.last()?);
    let num = asked.limit.saturating_sub(1);
    Some(format!("{path}?num={num}&PageToken={sid}{:x}", created_at.unix_millis()))
}

fn place(text: &str) -> Option<(Moment, CallSid)> {
    let (sid, millis) = text.split_at_checked(SID_LENGTH)?;
    if millis.starts_with('+') {
        return None;
    }
    // Milliseconds before 1970 are written as the two's complement that they are.
    let millis = u64::from_str_radix(millis, 16).ok()?.cast_signed();
    Some((Moment::from_unix_millis(millis), CallSid::parse(sid).ok()?))
}
