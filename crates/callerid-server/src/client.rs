//! Who sends a request: an address, and perhaps credentials. The address is that of the
//! connection's peer, or the one that a trusted proxy reports.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderName};
use callerid_core::Credentials;
use ipnet::IpNet;

pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who sent a request. It is determined once, before anything else reads the request.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The address of the connection's peer.
    pub(crate) peer: IpAddr,
    /// The address of the client itself.
    pub(crate) address: IpAddr,
    /// The credentials in the request, valid or not.
    pub(crate) credentials: Option<Credentials>,
}

impl Client {
    /// Determines who sent a request with these headers. Takes the credentials out of them.
    pub(crate) fn take(headers: &mut HeaderMap, peer: IpAddr, proxies: &TrustedProxies) -> Self {
        let peer = peer.to_canonical();
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let credentials = authorization.and_then(Credentials::from_authorization);
        if credentials.is_some() {
            headers.remove(AUTHORIZATION);
        }
        Self { peer, address: proxies.client(peer, headers), credentials }
    }
}

/// Addresses of proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts the proxies in these ranges.
    pub fn new(ranges: impl IntoIterator<Item = IpNet>) -> Self {
        Self(ranges.into_iter().collect())
    }

    /// Whether a trusted proxy has this address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// The address of the client that sent a request. Every proxy appends the address of its peer
    /// to `X-Forwarded-For`, so the list is read from the end for as long as the entries come from
    /// trusted proxies.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = headers.get_all(X_FORWARDED_FOR).iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
        let mut client = peer;
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            match hop.trim().parse::<IpAddr>() {
                Ok(address) if self.contains(client) => client = address.to_canonical(),
                _ => break,
            }
        }
        client
    }
}

/// The unit in which clients are counted: an IPv4 address, or the /64 of an IPv6 address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_who_the_trusted_proxies_say_and_no_other() {
        let proxies = ["10.0.0.0/8", "::1/128"].map(|range| range.parse().unwrap());
        let proxies = TrustedProxies::new(proxies);
        for (peer, forwarded, client) in [
            ("10.0.0.1", &["192.0.2.7"][..], "192.0.2.7"),
            ("::1", &["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", &["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", &["198.51.100.1", "192.0.2.7,10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", &["nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["::ffff:192.0.2.7"], "192.0.2.7"),
            ("192.0.2.9", &["127.0.0.1"], "192.0.2.9"),
        ] {
            let headers = forwarded.iter().map(|line| (X_FORWARDED_FOR, line.parse().unwrap()));
            let headers = headers.collect::<HeaderMap>();
            let found = proxies.client(peer.parse().unwrap(), &headers);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn credentials_are_taken_out_of_the_headers_and_nothing_else_is() {
        let peer = "192.0.2.9".parse().unwrap();
        for (value, is_taken) in [
            ("Basic QUMzMDk0NzVlNWZlZGUxYjQ5ZTEwMDI3MmE4NjQwZjQzODp0b2tlbg==", true),
            ("Basic QUM6dG9rZW4=", false),
            ("Bearer metrics", false),
        ] {
            let mut headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            let client = Client::take(&mut headers, peer, &TrustedProxies::default());
            assert_eq!(client.credentials.is_some(), is_taken, "{value}");
            assert_eq!(headers.contains_key(AUTHORIZATION), !is_taken, "{value}");
        }
    }

    #[test]
    fn an_ipv6_client_is_its_64() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8:0:0:ffff::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
