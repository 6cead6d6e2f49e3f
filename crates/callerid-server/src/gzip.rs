//! gzip: for whoever asks for it, where it pays.

use std::borrow::Cow;
use std::io::Write as _;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use callerid_core::http::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter bodies than this, in bytes, fit in a packet as they are.
const MIN_BYTES: usize = 1024;

/// The response with its body compressed, if the request accepts that and the body is long enough.
pub(crate) fn encode(request: &HeaderMap, mut response: Response) -> Response {
    if response.body.len() < MIN_BYTES {
        return response;
    }
    response.headers.push(("vary", Cow::Borrowed("Accept-Encoding")));
    if accepts_gzip(request) {
        let room = Vec::with_capacity(response.body.len() / 4);
        let mut encoder = GzEncoder::new(room, Compression::fast());
        let written = encoder.write_all(&response.body);
        if let Ok(body) = written.and_then(|()| encoder.finish()) {
            response.body = body;
            response.headers.push(("content-encoding", Cow::Borrowed("gzip")));
        }
    }
    response
}

/// Whether `Accept-Encoding` has gzip, by its name or by `*`, and with a quality that is not 0.
pub(crate) fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut accepts_any = false;
    for coding in values.flat_map(|value| value.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let quality =
            weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
        let is_accepted = quality.and_then(|quality| quality.parse().ok()) != Some(0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return is_accepted,
            "*" => accepts_any = is_accepted,
            _ => {}
        }
    }
    accepts_any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_where_its_quality_is_not_zero() {
        let accepts = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT_ENCODING, value.parse().unwrap());
            }
            accepts_gzip(&headers)
        };
        for values in [
            &["gzip"][..],
            &["deflate, GZip;q=0.5 ,br"],
            &["br", "gzip"],
            &["*"],
            &["*;q=0, gzip"],
            &["gzip;q=nonsense"],
        ] {
            assert!(accepts(values), "{values:?}");
        }
        for values in [
            &[][..],
            &[""],
            &["identity"],
            &["gzip;q=0"],
            &["*, gzip; q=0.000"],
            &["*;q=0"],
            &["gzipped"],
        ] {
            assert!(!accepts(values), "{values:?}");
        }
    }
}
