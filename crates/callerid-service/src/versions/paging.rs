//! PageTokens and the addresses that contain them, in every version.
//!
//! As in Twilio's API, a token is `PA` and the Sid of the last row of the previous page, or `PB`
//! and the Sid of the first row of the next page. After that comes the second of the row's
//! DateUpdated in hexadecimal, which preserves the position if the row is removed. The token
//! determines the page; a page number next to it is only repeated.

use std::cmp::Reverse;

use callerid_core::representation::PageUris;
use callerid_core::{CallerIdSid, ErrorCode, OutgoingCallerId, Page, SID_LENGTH};

use super::parameters::Parameters;
use crate::api_error::ApiError;
use crate::operation::PageToken;

const AFTER: &str = "PA";
const BEFORE: &str = "PB";

/// The token in a request for a page.
pub(super) fn token(query: &Parameters<'_>) -> Result<Option<PageToken>, ApiError> {
    query.given(&["PageToken"])?.map(decode).transpose()
}

/// The addresses of a page and its neighbours. `uri` writes an address from a page's number and
/// token.
pub(super) fn uris(
    page: &Page<OutgoingCallerId>,
    uri: impl Fn(u64, Option<&str>) -> String,
) -> PageUris {
    let before = page.items.first().map(|first| encode(BEFORE, first));
    let previous = page.previous().map(|number| uri(number, before.as_deref()));
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|last| uri(page.number.saturating_add(1), Some(&encode(AFTER, last))));
    PageUris {
        this: uri(page.number, None),
        first: uri(0, None),
        previous: previous.unwrap_or_default(),
        next: next.unwrap_or_default(),
        last: uri(page.last(), None),
    }
}

fn encode(side: &str, row: &OutgoingCallerId) -> String {
    let (Reverse(updated), sid) = row.list_key();
    // Seconds before 1970 are written as their two's complement.
    format!("{side}{sid}{updated:x}")
}

fn decode(text: &str) -> Result<PageToken, ApiError> {
    let token = || {
        let (is_before, row) = match text.strip_prefix(AFTER) {
            Some(row) => (false, row),
            None => (true, text.strip_prefix(BEFORE)?),
        };
        let (sid, updated) = row.split_at_checked(SID_LENGTH)?;
        let sid = CallerIdSid::parse(sid).ok()?;
        let updated = match updated {
            "" => None,
            digits if digits.starts_with('+') => return None,
            digits => Some(u64::from_str_radix(digits, 16).ok()?.cast_signed()),
        };
        Some(PageToken { is_before, sid, updated })
    };
    token().ok_or_else(|| {
        let detail = "pass on the next_page_uri of a page as it is";
        ApiError::because(ErrorCode::InvalidPageToken, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_its_place() {
        let sid = CallerIdSid::parse("PNe536dfda7c6DDd455fed980cb83345FF").unwrap();
        for updated in [0, 1_207_074_392, -1, i64::MAX, i64::MIN] {
            for (side, is_before) in [("PA", false), ("PB", true)] {
                let token = decode(&format!("{side}{sid}{updated:x}")).unwrap();
                assert_eq!(token, PageToken { is_before, sid, updated: Some(updated) });
            }
        }
        assert_eq!(decode(&format!("PA{sid}")).unwrap().updated, None);
    }

    #[test]
    fn foreign_page_tokens_are_invalid() {
        let sid = "PNe536dfda7c6DDd455fed980cb83345FF";
        for text in [
            "",
            "PA",
            "PAé",
            sid,
            &format!("PC{sid}"),
            &format!("pa{sid}"),
            &format!("PB{sid}g"),
            &format!("PA{sid}xyz"),
            &format!("PA{sid}11112222333344445"),
            &format!("PA{sid}+1"),
        ] {
            let error = decode(text).unwrap_err();
            assert_eq!(error.error_code(), Some(ErrorCode::InvalidPageToken), "{text}");
        }
    }
}
