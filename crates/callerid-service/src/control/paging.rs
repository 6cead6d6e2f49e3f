//! Pages of the control surface's lists: `num` rows, newest first, from the position of the
//! PageToken. If more rows follow, the response contains the address of the next page as
//! `next_page_uri`.
//!
//! A token consists of the Sid of the last row's call and the millisecond of its creation in
//! hexadecimal. It marks a position in the list even if rows are added or removed.

use callerid_core::{CallSid, ErrorCode, Moment, PageSize, SID_LENGTH};

use crate::api_error::ApiError;
use crate::request::Request;
use crate::store::Newest;
use crate::versions::Parameters;

/// The maximum number of calls in a response, which keeps it under a megabyte.
pub(super) const MAX_CALLS: usize = 1_000;
/// The maximum number of callbacks in a response. Each contains URLs.
pub(super) const MAX_CALLBACKS: usize = 250;

/// The rows to fetch: those requested and one more, which tells whether there is a next page.
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

/// Removes the extra row, and returns the address of the next page if there was one.
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
    // Milliseconds before 1970 are written as their two's complement.
    let millis = u64::from_str_radix(millis, 16).ok()?.cast_signed();
    Some((Moment::from_unix_millis(millis), CallSid::parse(sid).ok()?))
}
