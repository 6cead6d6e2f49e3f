//! Addresses of services, and of the pages that they link to.

use crate::error::excerpt;
use std::fmt;

/// A service's base URL: its scheme, host and port, and the path before those of the API.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    pub(crate) origin: String,
    /// Empty, or a slash and more, without one at its end.
    pub(crate) path: String,
}

impl BaseUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidBaseUrl> {
        match split_origin(url) {
            Some((origin, path)) if path.is_empty() || is_path(path) && !path.contains('?') => {
                Ok(Self { origin, path: path.trim_end_matches('/').to_owned() })
            }
            // The part before an @ may be a password.
            _ => Err(InvalidBaseUrl {
                url: excerpt(url.rsplit_once('@').map_or(url, |(_, host)| host)),
            }),
        }
    }

    /// The path and query of a page's address, which is a path or a URL with the same origin. It is
    /// relative to the base URL: the service may not know of a proxy's path.
    pub(crate) fn page_target<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let path = match split_origin(uri) {
            Some((origin, path)) => (origin == self.origin).then_some(path)?,
            None => uri,
        };
        let below = path.strip_prefix(&self.path).filter(|below| below.starts_with('/'));
        is_path(path).then_some(below.unwrap_or(path)).filter(|target| is_path(target))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

fn is_path(path: &str) -> bool {
    // After a second slash, the rest would be a host. Some clients treat a backslash the same way.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(is_plain)
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
        let expected = "expected http:// or https://, a host, perhaps a port, perhaps a path";
        write!(f, "{:?} is not a base URL: {expected}", self.url)
    }
}

impl std::error::Error for InvalidBaseUrl {}
