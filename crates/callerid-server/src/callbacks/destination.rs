//! Allowed destinations of callbacks: public addresses, and those that the operator allows.
//!
//! The resolved addresses are checked, and exactly these are connected to. The notation of an
//! address in a URL and later DNS changes therefore make no difference.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host or a range of addresses that callbacks can go to even if it is not public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed(Destination);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Destination {
    /// A name in lower case, without a trailing dot.
    Host(String),
    Range(Range),
}

impl FromStr for Allowed {
    type Err = InvalidAllowed;

    /// Parses a host name (`hooks.internal`), an address (`127.0.0.1`, `::1`), or a range of
    /// addresses (`10.0.0.0/8`, `fd00::/8`).
    fn from_str(text: &str) -> Result<Self, InvalidAllowed> {
        let invalid = |expected: String| InvalidAllowed { text: text.to_owned(), expected };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let literal = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Ok(network) = literal.unwrap_or(address).parse::<IpAddr>() else {
            if prefix.is_none() && is_host_name(text) {
                return Ok(Self(Destination::Host(normal_name(text))));
            }
            let expected = "a host without a port, an address, or a range like 10.0.0.0/8";
            return Err(invalid(expected.to_owned()));
        };
        let (_, width) = bits(network);
        let prefix = match prefix {
            None => width,
            Some(prefix) => {
                prefix.parse().ok().filter(|prefix| *prefix <= width).ok_or_else(|| {
                    invalid(format!("a whole number from 0 to {width} after the slash"))
                })?
            }
        };
        let range = Range { network, prefix };
        match range.first() == network {
            true => Ok(Self(Destination::Range(range))),
            false => {
                Err(invalid(format!("{}/{prefix}, the first address of that range", range.first())))
            }
        }
    }
}

/// A text that is not a valid destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidAllowed {
    text: String,
    expected: String,
}

impl fmt::Display for InvalidAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: expected {}", self.text, self.expected)
    }
}

impl std::error::Error for InvalidAllowed {}

/// Checks whether a callback to `host` can connect to `address`, which `host` resolves to.
///
/// # Errors
/// The kind of address, and the option that allows it.
pub(super) fn check(host: &str, address: IpAddr, allowed: &[Allowed]) -> Result<(), String> {
    let address = address.to_canonical();
    let Some(kind) = special(address) else { return Ok(()) };
    let name = normal_name(host);
    let is_allowed = allowed.iter().any(|Allowed(destination)| match destination {
        Destination::Host(host) => *host == name,
        Destination::Range(range) => range.contains(address),
    });
    if is_allowed {
        return Ok(());
    }
    let options = match is_host_name(&name) {
        true => format!("--callback-allow {name} or --callback-allow {address}"),
        false => format!("--callback-allow {address}"),
    };
    Err(format!("{host} is at {address} ({kind}), where callbacks go only with {options}"))
}

/// The kind of a special address; `None` for a public address. The caller unwraps IPv4 addresses
/// that are mapped to IPv6.
fn special(address: IpAddr) -> Option<&'static str> {
    let known = SPECIAL.iter().find(|(_, range)| range.contains(address));
    let is_global_unicast = address.is_ipv4() || GLOBAL_UNICAST.contains(address);
    known.map(|(kind, _)| *kind).or_else(|| (!is_global_unicast).then_some("reserved"))
}

/// The IPv6 addresses that can be public. This excludes addresses that embed IPv4 addresses, for
/// compatibility and for translation (`::/96`, `64:ff9b::/96`).
const GLOBAL_UNICAST: Range = v6(0x2000, 0, 3);

/// Addresses that are not public, from IANA's registries of special-purpose addresses (RFC 6890)
/// and of multicast addresses.
const SPECIAL: [(&str, Range); 24] = [
    ("unspecified", v4(0, 0, 0, 8)),
    ("private", v4(10, 0, 0, 8)),
    ("shared (carrier-grade NAT)", v4(100, 64, 0, 10)),
    ("loopback", v4(127, 0, 0, 8)),
    ("link-local", v4(169, 254, 0, 16)),
    ("private", v4(172, 16, 0, 12)),
    ("reserved", v4(192, 0, 0, 24)),
    ("documentation", v4(192, 0, 2, 24)),
    ("reserved", v4(192, 88, 99, 24)),
    ("private", v4(192, 168, 0, 16)),
    ("benchmarking", v4(198, 18, 0, 15)),
    ("documentation", v4(198, 51, 100, 24)),
    ("documentation", v4(203, 0, 113, 24)),
    ("multicast", v4(224, 0, 0, 4)),
    ("reserved", v4(240, 0, 0, 4)),
    ("unspecified", Range { network: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 128 }),
    ("loopback", Range { network: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 }),
    // This includes Teredo, which embeds IPv4 addresses.
    ("reserved", v6(0x2001, 0, 23)),
    ("documentation", v6(0x2001, 0xdb8, 32)),
    ("6to4", v6(0x2002, 0, 16)),
    ("documentation", v6(0x3fff, 0, 20)),
    ("unique local", v6(0xfc00, 0, 7)),
    ("link-local", v6(0xfe80, 0, 10)),
    ("multicast", v6(0xff00, 0, 8)),
];

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Range {
    Range { network: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), prefix }
}

const fn v6(a: u16, b: u16, prefix: u8) -> Range {
    Range { network: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), prefix }
}

/// The addresses whose first `prefix` bits match `network`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    network: IpAddr,
    prefix: u8,
}

impl Range {
    fn contains(&self, address: IpAddr) -> bool {
        let ((network, width), (address, address_width)) = (bits(self.network), bits(address));
        let rest = u32::from(width.saturating_sub(self.prefix));
        width == address_width && (network ^ address).checked_shr(rest).unwrap_or(0) == 0
    }

    fn first(&self) -> IpAddr {
        let (network, width) = bits(self.network);
        let rest = u32::from(width.saturating_sub(self.prefix));
        let first = network & u128::MAX.checked_shl(rest).unwrap_or(0);
        match self.network {
            IpAddr::V4(_) => Ipv4Addr::from_bits(first as u32).into(),
            IpAddr::V6(_) => Ipv6Addr::from_bits(first).into(),
        }
    }
}

/// An address as a number, and the number of bits of such addresses.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (address.to_bits().into(), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

/// Normalizes a host name for comparison.
fn normal_name(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether this is a host name, and not another notation of an address (`127.1`, `0x7f000001`).
fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(is_known)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.split('.').all(is_label) && !last.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> Allowed {
        text.parse().unwrap()
    }

    #[test]
    fn special_addresses_are_distinguished_from_public_ones_at_the_edges_of_every_range() {
        for address in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff:fff::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            let checked = check("x", address.parse().unwrap(), &[]);
            assert!(checked.is_err(), "{address}");
        }
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(check("x", address.parse().unwrap(), &[]), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_host_is_allowed_by_its_name_and_an_address_by_its_range() {
        let [loopback, mapped, metadata] =
            ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"].map(|text| text.parse().unwrap());
        for text in ["127.0.0.1", "127.0.0.0/8", "Hooks.Internal", "hooks.internal.", "0.0.0.0/0"] {
            let allowed = [allowed(text)];
            assert_eq!(check("hooks.internal", loopback, &allowed), Ok(()), "{text}");
            assert_eq!(check("HOOKS.internal.", mapped, &allowed), Ok(()), "{text}");
        }
        for text in ["internal", "hooks", "127.0.0.2", "10.0.0.0/8", "::1", "::/0"] {
            assert!(check("hooks.internal", loopback, &[allowed(text)]).is_err(), "{text}");
        }
        assert!(check("rebound.example", metadata, &[allowed("127.0.0.0/8")]).is_err());
        assert_eq!(check("[::1]", "::1".parse().unwrap(), &[allowed("[::1]")]), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_address_and_the_option() {
        let address = "127.0.0.1".parse().unwrap();
        assert_eq!(
            check("Localhost", address, &[]).unwrap_err(),
            "Localhost is at 127.0.0.1 (loopback), where callbacks go only with \
             --callback-allow localhost or --callback-allow 127.0.0.1"
        );
        assert_eq!(
            check("2130706433", address, &[]).unwrap_err(),
            "2130706433 is at 127.0.0.1 (loopback), where callbacks go only with \
             --callback-allow 127.0.0.1"
        );
    }

    #[test]
    fn invalid_hosts_and_ranges_are_rejected() {
        let error = |text: &str| text.parse::<Allowed>().unwrap_err().to_string();
        for text in
            ["", "a b", "localhost:80", "http://x", "127.1", "1.2.3.4.5", "x/8", "a..b", "*.x"]
        {
            let expected = "a host without a port, an address, or a range like 10.0.0.0/8";
            assert_eq!(error(text), format!("{text:?}: expected {expected}"));
        }
        assert_eq!(
            error("10.1.2.3/8"),
            "\"10.1.2.3/8\": expected 10.0.0.0/8, the first address of that range"
        );
        assert_eq!(
            error("10.0.0.0/33"),
            "\"10.0.0.0/33\": expected a whole number from 0 to 32 after the slash"
        );
        assert_eq!(
            error("fd00::/x"),
            "\"fd00::/x\": expected a whole number from 0 to 128 after the slash"
        );
    }
}
