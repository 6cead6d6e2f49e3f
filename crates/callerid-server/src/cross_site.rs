//! Forged requests: a page of another origin makes the browser send a request with its remembered
//! credentials.
//!
//! After a browser has asked the user for Basic credentials, it adds them to later requests on its
//! own. A page of another origin can make it send three kinds of requests without a preflight: a
//! submitted form, a `fetch` with mode `no-cors`, and a `fetch` with mode `cors` that includes
//! credentials. None of these can carry an `Authorization` header set by the page, because that
//! requires mode `cors` and a preflight. Requests that change something and come from another
//! origin are therefore treated as follows:
//!
//! - Requests with `Sec-Fetch-Mode: cors` are allowed, because pages with their own credentials
//!   send them. They are rejected if they have `Sec-Fetch-Storage-Access`, which browsers send only
//!   when they include their own credentials. If a page includes those in addition to its own, the
//!   preflight fails, because the allowed origin is `*`.
//! - All other requests with `Sec-Fetch-Site` are rejected.
//! - If these headers are absent (browsers send them only over TLS and to loopback), a request with
//!   a different `Origin` is rejected if it is a navigation, such as a form. Other requests cannot
//!   be told apart. For those, the protection is the browser's partitioning, which keeps one site's
//!   credentials out of another page's requests.
//!
//! Clients other than browsers do not send these headers and are not affected.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HOST, HeaderName, ORIGIN, UPGRADE_INSECURE_REQUESTS};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const STORAGE_ACCESS: HeaderName = HeaderName::from_static("sec-fetch-storage-access");

/// Whether a request that changes something may be forged, judging by its headers.
pub(crate) fn is_forged(headers: &HeaderMap) -> bool {
    let says = |name: HeaderName, value: &str| {
        headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes())
    };
    if !headers.contains_key(SEC_FETCH_SITE) {
        return is_from_another_origin(headers) && is_navigation(headers);
    }
    let is_own = says(SEC_FETCH_SITE, "same-origin") || says(SEC_FETCH_SITE, "none");
    let has_own_credentials = says(SEC_FETCH_MODE, "cors") && !headers.contains_key(STORAGE_ACCESS);
    !is_own && !has_own_credentials
}

/// An opaque origin, `null`, counts as another origin. The scheme is not compared, because a proxy
/// may have changed it.
fn is_from_another_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    host.is_none() || host != text(HOST)
}

/// Only browsers send this `Accept` header with a form.
fn is_navigation(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    headers.contains_key(UPGRADE_INSECURE_REQUESTS) || accept.contains("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forged(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
        });
        is_forged(&headers.collect())
    }

    #[test]
    fn requests_with_remembered_credentials_are_recognized() {
        for site in ["cross-site", "same-site"] {
            for mode in ["navigate", "no-cors", "websocket", ""] {
                assert!(forged(&[("sec-fetch-site", site), ("sec-fetch-mode", mode)]), "{mode}");
            }
            assert!(forged(&[("sec-fetch-site", site)]));
            let of_a_page = [("sec-fetch-site", site), ("sec-fetch-mode", "cors")];
            assert!(!forged(&of_a_page));
            let [site, mode] = of_a_page;
            assert!(forged(&[site, mode, ("sec-fetch-storage-access", "none")]));
        }
        for site in ["same-origin", "none"] {
            for mode in ["navigate", "cors", "same-origin"] {
                let origin = ("origin", "http://localhost:8008");
                assert!(!forged(&[("sec-fetch-site", site), ("sec-fetch-mode", mode), origin]));
            }
        }
    }

    #[test]
    fn without_fetch_metadata_forms_of_another_origin_are_refused() {
        let (host, html) = (("host", "192.0.2.1:8008"), ("accept", "text/html,*/*;q=0.8"));
        for origin in ["http://evil.example", "null", "http://192.0.2.1:8009"] {
            let origin = ("origin", origin);
            assert!(forged(&[host, origin, html]));
            assert!(forged(&[host, origin, ("upgrade-insecure-requests", "1")]));
            assert!(!forged(&[host, origin, ("accept", "*/*")]));
            assert!(!forged(&[host, origin]));
        }
        for scheme in ["http://192.0.2.1:8008", "https://192.0.2.1:8008"] {
            assert!(!forged(&[host, ("origin", scheme), html]));
        }
        assert!(!forged(&[host, html]) && !forged(&[]));
    }
}
