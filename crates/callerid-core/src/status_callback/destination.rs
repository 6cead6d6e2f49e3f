//! The destination of a callback. Validating, signing, checking and sending all use this one
//! parser.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::credentials::CallbackCredentials;

/// The maximum length of a callback's URL in characters, as documented by Twilio.
pub const STATUS_CALLBACK_MAX_CHARS: usize = 1000;

/// The maximum length of a host name, and of each label in it.
const HOST_MAX_CHARS: usize = 253;
const LABEL_MAX_CHARS: usize = 63;

/// The parts of a URL that are needed to connect and to send the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackDestination {
    /// Whether the scheme is `https`, which uses TLS.
    pub is_secure: bool,
    /// The name or address to connect to. An IPv6 address has no brackets.
    pub host: String,
    /// The port to connect to.
    pub port: u16,
    /// The host and port as written in the URL: the value of the `Host` header.
    pub authority: String,
    /// The path and query: the request target.
    pub target: String,
    /// The user and password before the host. They are sent to the receiver, but not signed.
    pub credentials: Option<CallbackCredentials>,
}

impl CallbackDestination {
    /// Parses an absolute URL. The fragment is ignored, because it is never sent.
    pub fn parse(url: &str) -> Result<Self, InvalidStatusCallback> {
        if url.len() > STATUS_CALLBACK_MAX_CHARS {
            return Err(InvalidStatusCallback::TooLong);
        }
        if let Some(at) = url.bytes().position(|byte| !byte.is_ascii_graphic()) {
            return Err(InvalidStatusCallback::Character { at });
        }
        // URLs must escape these characters, and parsers interpret them differently.
        let is_unsafe = |byte: u8| matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
        if let Some(at) = url.bytes().position(is_unsafe) {
            return Err(InvalidStatusCallback::Unescaped { at });
        }
        let (scheme, rest) = url.split_once("://").ok_or(InvalidStatusCallback::Scheme)?;
        let is_secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ => return Err(InvalidStatusCallback::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((text, authority)) => (Some(CallbackCredentials::parse(text)?), authority),
            None => (None, authority),
        };
        let (host, port) = split_port(authority).ok_or(InvalidStatusCallback::Host)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(literal) => literal.parse::<Ipv6Addr>().is_ok().then_some(literal),
            None => is_name(host, is_secure).then_some(host),
        };
        let default = if is_secure { 443 } else { 80 };
        let target = rest.split_once('#').map_or(rest, |(target, _)| target);
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            is_secure,
            host: host.ok_or(InvalidStatusCallback::Host)?.to_owned(),
            port: read_port(port, default).ok_or(InvalidStatusCallback::Port)?,
            authority: authority.to_owned(),
            target: format!("{slash}{target}"),
            credentials,
        })
    }

    /// The URL as the receiver sees it, without credentials. This is the URL that is signed.
    pub fn url(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.target)
    }

    /// Adds parameters to the query.
    pub fn push_query(&mut self, parameters: &str) {
        let has_query = self.target.contains('?');
        self.target.push(if has_query { '&' } else { '?' });
        self.target.push_str(parameters);
    }
}

/// Splits a host from the port after its colon. The port is empty if there is no colon. Returns
/// `None` if a bracket is not closed, or is followed by anything but a colon.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    if !authority.starts_with('[') {
        return Some(authority.split_once(':').unwrap_or((authority, "")));
    }
    let end = authority.find(']')?;
    let (host, rest) = authority.split_at_checked(end.saturating_add(1))?;
    Some((host, if rest.is_empty() { rest } else { rest.strip_prefix(':')? }))
}

/// Parses a port of decimal digits only. An empty port means the scheme's default.
fn read_port(digits: &str, default: u16) -> Option<u16> {
    match digits {
        "" => Some(default),
        _ if !digits.bytes().all(|byte| byte.is_ascii_digit()) => None,
        _ => digits.parse().ok().filter(|port| *port != 0),
    }
}

/// Whether this is a name that can be resolved, or an IPv4 address. The system accepts several
/// notations for addresses (`127.1`), which is safe because the resolved address is checked. With
/// TLS, only the usual notation is valid, because certificates use it.
fn is_name(host: &str, is_secure: bool) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=LABEL_MAX_CHARS).contains(&label.len())
            && label.bytes().all(is_known)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_certifiable = || !ends_in_number(name) || name.parse::<Ipv4Addr>().is_ok();
    host.len() <= HOST_MAX_CHARS
        && name.split('.').all(is_label)
        && (!is_secure || is_certifiable())
}

/// Whether the last label is a number, as in an IPv4 address.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Why a callback's URL is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidStatusCallback {
    /// Longer than [`STATUS_CALLBACK_MAX_CHARS`] characters.
    TooLong,
    /// A character that is not allowed in a URL.
    Character {
        /// The character's byte offset.
        at: usize,
    },
    /// A character that must be escaped in a URL.
    Unescaped {
        /// The character's byte offset.
        at: usize,
    },
    /// Neither `http://` nor `https://`.
    Scheme,
    /// A user or password that cannot be sent.
    Credentials,
    /// Not a valid host.
    Host,
    /// Not a port from 1 to 65535.
    Port,
}

impl fmt::Display for InvalidStatusCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => {
                write!(f, "more than {STATUS_CALLBACK_MAX_CHARS} characters")
            }
            Self::Character { at } => {
                write!(f, "byte {at} is not printable ASCII; escape it")
            }
            Self::Unescaped { at } => {
                write!(f, "the character at byte {at} must be escaped")
            }
            Self::Scheme => f.write_str("expected http:// or https:// and a host"),
            Self::Credentials => {
                f.write_str("expected user:password before the @, with other characters escaped")
            }
            Self::Host => f.write_str("expected a host"),
            Self::Port => f.write_str("expected a port from 1 to 65535"),
        }
    }
}

impl std::error::Error for InvalidStatusCallback {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed_as_they_are_sent() {
        for (url, host, port, sent) in [
            ("http://example.com", "example.com", 80, "http://example.com/"),
            (
                "HTTP://Example.com:8000?a[]=1",
                "Example.com",
                8000,
                "http://Example.com:8000/?a[]=1",
            ),
            ("https://a_b.example./x?y", "a_b.example.", 443, "https://a_b.example./x?y"),
            ("https://[2001:db8::1]:8443/", "2001:db8::1", 8443, "https://[2001:db8::1]:8443/"),
            ("http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", 80, "http://[::ffff:127.0.0.1]/"),
            ("https://127.0.0.1/", "127.0.0.1", 443, "https://127.0.0.1/"),
            ("http://127.1:/", "127.1", 80, "http://127.1:/"),
            ("http://a:00080//b/../%zz", "a", 80, "http://a:00080//b/../%zz"),
            ("http://1.1.1.1#@127.0.0.1/", "1.1.1.1", 80, "http://1.1.1.1/"),
            ("http://127.0.0.1#@1.1.1.1/", "127.0.0.1", 80, "http://127.0.0.1/"),
            ("http://1.1.1.1/@127.0.0.1/", "1.1.1.1", 80, "http://1.1.1.1/@127.0.0.1/"),
            ("http://1.1.1.1?@127.0.0.1/", "1.1.1.1", 80, "http://1.1.1.1/?@127.0.0.1/"),
            ("http://user:password@a:81/", "a", 81, "http://a:81/"),
            ("https://user@[2001:db8::1]/@", "2001:db8::1", 443, "https://[2001:db8::1]/@"),
            ("http://1.1.1.1:80@127.0.0.1/", "127.0.0.1", 80, "http://127.0.0.1/"),
        ] {
            let read = CallbackDestination::parse(url).unwrap();
            assert_eq!((read.host.as_str(), read.port, &*read.url()), (host, port, sent), "{url}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected() {
        use InvalidStatusCallback::{
            Character, Credentials, Host, Port, Scheme, TooLong, Unescaped,
        };
        let label = "a".repeat(64);
        for (url, error) in [
            (format!("http://{}", "a".repeat(1000)), TooLong),
            ("http://a b".into(), Character { at: 8 }),
            ("http://é".into(), Character { at: 7 }),
            ("http://a/\"".into(), Unescaped { at: 9 }),
            ("http://a/?<".into(), Unescaped { at: 10 }),
            ("http://a/>".into(), Unescaped { at: 9 }),
            ("http://a/#`".into(), Unescaped { at: 10 }),
            ("http://1.1.1.1\\@127.0.0.1/".into(), Unescaped { at: 14 }),
            ("ftp://example.com".into(), Scheme),
            ("example.com".into(), Scheme),
            ("http:/a".into(), Scheme),
            ("http:///path".into(), Host),
            ("http://:80/".into(), Host),
            ("http://user@".into(), Host),
            ("http://@example.com".into(), Credentials),
            ("http://user@1.1.1.1@127.0.0.1/".into(), Credentials),
            ("http://us%0Aer@example.com".into(), Credentials),
            ("http://us|er@example.com".into(), Credentials),
            ("http://a..b/".into(), Host),
            ("http://.a/".into(), Host),
            ("http://-a/".into(), Host),
            ("http://a%41/".into(), Host),
            ("http://a,b/".into(), Host),
            (format!("http://{label}/"), Host),
            (format!("http://{}/", "a.".repeat(127)), Host),
            ("http://::1/".into(), Host),
            ("http://[::1/".into(), Host),
            ("http://[::1]x/".into(), Host),
            ("http://[::g]/".into(), Host),
            ("http://[1.2.3.4]/".into(), Host),
            ("http://[fe80::1%25eth0]/".into(), Host),
            ("http://[]/".into(), Host),
            ("https://127.1/".into(), Host),
            ("https://0x7f000001/".into(), Host),
            ("http://a:65536/".into(), Port),
            ("http://a:99999999999/".into(), Port),
            ("http://a:0/".into(), Port),
            ("http://a:80x/".into(), Port),
            ("http://a:+8141/".into(), Port),
            ("http://a:-1/".into(), Port),
            ("http://[::1]:x/".into(), Port),
            ("http://a:80:80/".into(), Port),
        ] {
            assert_eq!(CallbackDestination::parse(&url).err(), Some(error), "{url}");
        }
    }
}
