//! The UDP ports for the sound of calls.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::net::UdpSocket;

/// A range of UDP ports for the sound of calls, one per call: the even ones, as RFC 3550 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPortRange {
    first: u16,
    last: u16,
}

impl RtpPortRange {
    /// What `--rtp-ports` is unless it is given.
    pub const DEFAULT: &str = "10000-10999";

    /// How many calls it has room for.
    pub fn calls(&self) -> usize {
        self.even().len()
    }

    fn even(&self) -> RangeInclusive<u16> {
        self.first.div_ceil(2)..=self.last / 2
    }
}

impl FromStr for RtpPortRange {
    type Err = InvalidRtpPortRange;

    /// Parses a range like `10000-10999`.
    ///
    /// # Errors
    /// [`InvalidRtpPortRange`] if that is not two ports, or has no even port from 1024 on.
    fn from_str(text: &str) -> Result<Self, InvalidRtpPortRange> {
        let (first, last) = text.split_once('-').ok_or(InvalidRtpPortRange)?;
        let port = |text: &str| text.trim().parse().map_err(|_| InvalidRtpPortRange);
        let range = Self { first: port(first)?, last: port(last)? };
        match range.first >= 1024 && range.calls() > 0 {
            true => Ok(range),
            false => Err(InvalidRtpPortRange),
        }
    }
}

/// A text that is not a range of ports for sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRtpPortRange;

impl fmt::Display for InvalidRtpPortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected two ports from 1024 on with an even one among them, like {}",
            RtpPortRange::DEFAULT
        )
    }
}

impl std::error::Error for InvalidRtpPortRange {}

/// Opens sockets on the ports of a range, in turn, so that a port rests as long as possible before
/// another call has it: the sound of the last one may still arrive.
pub(super) struct RtpPorts {
    address: IpAddr,
    range: RtpPortRange,
    next: AtomicU16,
}

impl RtpPorts {
    pub(super) fn new(address: IpAddr, range: RtpPortRange) -> Self {
        Self { address, range, next: AtomicU16::new(0) }
    }

    /// Opens a socket on the next free port.
    ///
    /// # Errors
    /// The last port's, if none is free.
    pub(super) async fn open(&self) -> io::Result<UdpSocket> {
        let even = self.range.even();
        let mut error = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..even.len() {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let port = 2 * (even.start() + turn % (even.end() - even.start() + 1));
            match UdpSocket::bind((self.address, port)).await {
                Ok(socket) => return Ok(socket),
                Err(taken) => error = taken,
            }
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_range_has_a_call_for_each_even_port() {
        let calls = |text: &str| text.parse::<RtpPortRange>().map(|range| range.calls());
        assert_eq!(calls(RtpPortRange::DEFAULT), Ok(500));
        assert_eq!(calls("10001-10004"), Ok(2));
        assert_eq!(calls("10000 - 10000"), Ok(1));
        for text in ["", "10000", "10001-10001", "10010-10000", "80-90", "10000-70000", "a-b"] {
            assert_eq!(calls(text), Err(InvalidRtpPortRange), "{text}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_passed_over_until_none_is_free() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // Somewhere in the range, other tests or programs may have ports.
        let ports = RtpPorts::new(address, "61000-61009".parse().unwrap());
        let mut open = Vec::new();
        while let Ok(socket) = ports.open().await {
            open.push(socket);
        }
        assert!((1..=5).contains(&open.len()), "{open:?}");
        let freed = open.remove(0).local_addr().unwrap();
        assert_eq!(ports.open().await.unwrap().local_addr().unwrap(), freed);
    }
}
