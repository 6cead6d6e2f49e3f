//! Forged requests: those that a page of another origin has a browser send with the credentials that it remembers.
//!
//! A browser that was once asked for Basic credentials adds them to later requests by itself. A page of another origin
//! can have it send three kinds of requests without asking first (without a preflight): a form that is submitted, a
//! `fetch` in the mode `no-cors`, and one in the mode `cors` whose credentials are to be included. None of them can
//! carry an `Authorization` of the page's own: that takes the mode `cors`, and a preflight. So of the requests that
//! change something and come from another origin:
//!
//! - Those that say `Sec-Fetch-Mode: cors` are answered, for pages with credentials of their own send them. But not with
//!   `Sec-Fetch-Storage-Access`, which browsers send only where their own credentials are included; a page that has
//!   them included beside its own is refused at the preflight, which allows `*`.
//! - All others that say `Sec-Fetch-Site` are refused.
//! - Where nothing of that is said (browsers send it only over TLS and to loopback), those with another `Origin` that a
//!   navigation sends, so forms, are refused. What cannot be told apart there is left to browsers' own partitions: they
//!   keep the credentials of one site from requests of another's page.
//!
//! What is no browser sends none of these headers, and is not concerned.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HOST, HeaderName, ORIGIN, UPGRADE_INSECURE_REQUESTS};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const STORAGE_ACCESS: HeaderName = HeaderName::from_static("sec-fetch-storage-access");

/// Whether a request with these headers, which would change something, may be forged.
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

/// An opaque origin, `null`, is another. The scheme is not compared: a proxy may have changed it.
fn is_from_another_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    host.is_none() || host != text(HOST)
}

/// Browsers alone say what they accept from a form.
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
    fn what_rides_on_remembered_credentials_is_told_apart() {
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
