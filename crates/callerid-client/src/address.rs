//! Addresses of services, and of the pages that they link to.

use crate::error::excerpt;
use std::fmt;

/// The scheme, host and port of a service, from its base URL.
pub(crate) fn base_origin(url: &str) -> Result<String, InvalidBaseUrl> {
    match split_origin(url) {
        Some((origin, "" | "/")) => Ok(origin),
        // The part before an @ may be a password.
        _ => {
            Err(InvalidBaseUrl { url: excerpt(url.rsplit_once('@').map_or(url, |(_, host)| host)) })
        }
    }
}

/// The path and query of a page's address, which is a path or a URL with the same origin.
pub(crate) fn page_target<'a>(own_origin: &str, uri: &'a str) -> Option<&'a str> {
    let path = match split_origin(uri) {
        Some((origin, path)) => (origin == own_origin).then_some(path)?,
        None => uri,
    };
    // After a second slash, the rest would be a host. Some clients treat a backslash the same way.
    let is_path = path.starts_with('/') && !path.starts_with("//");
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
    (is_path && path.bytes().all(is_plain)).then_some(path)
}

/// Splits a URL into its scheme, host and port, normalized for comparison, and the rest. Returns
/// `None` for any other text, and for a URL with user information.
fn split_origin(url: &str) -> Option<(String, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let host = authority.strip_suffix(default_port).unwrap_or(&authority);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || host.starts_with(":") || !host.bytes().all(is_host) {
        return None;
    }
    Some((format!("{scheme}://{host}"), target))
}

/// A text that is not a valid base URL for a [`Client`](crate::Client).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBaseUrl {
    url: String,
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = "expected http:// or https://, a host, perhaps a port, and no path";
        write!(f, "{:?} is not a base URL: {expected}", self.url)
    }
}

impl std::error::Error for InvalidBaseUrl {}
