//! Trunks: where calls are sent, with which credentials, and whether they answer.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use rsipstack::dialog::authenticate::Credential;
use rsipstack::sip::{Auth, Host, HostWithPort, Param, Scheme, Transport, Uri};
use rsipstack::transport::SipAddr;

/// The address of a trunk: `sip:user@host:port;transport=tls`. Only the host is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkAddress {
    user: Option<String>,
    host: HostWithPort,
    transport: Transport,
}

impl TrunkAddress {
    /// The user to authenticate as. Without one, the trunk knows its clients by their addresses.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.transport == Transport::Tls
    }
}

impl FromStr for TrunkAddress {
    type Err = InvalidTrunkAddress;

    /// Parses a SIP URI.
    ///
    /// # Errors
    /// [`InvalidTrunkAddress`] if it is not one, contains a password, or asks for something unknown.
    fn from_str(text: &str) -> Result<Self, InvalidTrunkAddress> {
        let uri = Uri::try_from(text).map_err(|_| InvalidTrunkAddress::Syntax)?;
        let is_sips = match uri.scheme {
            Some(Scheme::Sip) => false,
            Some(Scheme::Sips) => true,
            _ => return Err(InvalidTrunkAddress::Syntax),
        };
        let user = uri.auth.map(|Auth { user, password }| match password {
            Some(_) => Err(InvalidTrunkAddress::Password),
            None if user.is_empty() => Err(InvalidTrunkAddress::Syntax),
            None => Ok(user),
        });
        let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if let Host::Domain(name) = &uri.host_with_port.host
            && (name.0.is_empty() || !name.0.bytes().all(is_in_name))
        {
            return Err(InvalidTrunkAddress::Syntax);
        }
        let mut transport = if is_sips { Transport::Tls } else { Transport::Udp };
        for param in uri.params {
            match param {
                Param::Transport(Transport::Udp) if is_sips => {
                    return Err(InvalidTrunkAddress::Transport);
                }
                Param::Transport(it @ (Transport::Udp | Transport::Tcp | Transport::Tls)) => {
                    transport = if is_sips { Transport::Tls } else { it };
                }
                Param::Transport(_) => return Err(InvalidTrunkAddress::Transport),
                _ => return Err(InvalidTrunkAddress::Syntax),
            }
        }
        if !uri.headers.is_empty() {
            return Err(InvalidTrunkAddress::Syntax);
        }
        Ok(Self { user: user.transpose()?, host: uri.host_with_port, transport })
    }
}

/// Without the user, for logs and metrics.
impl fmt::Display for TrunkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sip:{}", self.host)?;
        match self.transport {
            Transport::Udp => Ok(()),
            transport => write!(f, ";transport={}", transport.to_string().to_ascii_lowercase()),
        }
    }
}

/// A text that is not the address of a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTrunkAddress {
    /// It is not a SIP URI, or has parts that a trunk's address does not have.
    Syntax,
    /// It contains a password.
    Password,
    /// It asks for a transport that there is not.
    Transport,
}

impl fmt::Display for InvalidTrunkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected a SIP URI like sip:user@sip.example.com;transport=tls",
            Self::Password => {
                "a password in a command line is seen by others on the machine: leave it out here, \
                 and set CALLERID_SIP_PASSWORD or --sip-password-file"
            }
            Self::Transport => "transport is udp, tcp or tls",
        })
    }
}

impl std::error::Error for InvalidTrunkAddress {}

/// A trunk.
pub(super) struct Trunk {
    pub(super) address: TrunkAddress,
    password: Option<String>,
    is_reachable: AtomicBool,
}

impl Trunk {
    /// A trunk that counts as reachable from the start if nobody will ask it.
    pub(super) fn new(address: TrunkAddress, password: Option<String>, is_reachable: bool) -> Self {
        Self { address, password, is_reachable: AtomicBool::new(is_reachable) }
    }

    /// The URI of a user at this trunk, or of the trunk itself.
    pub(super) fn uri(&self, user: Option<&str>) -> Uri {
        let TrunkAddress { host, transport, .. } = &self.address;
        let transport = (*transport != Transport::Udp).then_some(Param::Transport(*transport));
        Uri {
            scheme: Some(Scheme::Sip),
            auth: user.map(|user| Auth { user: user.to_owned(), password: None }),
            host_with_port: host.clone(),
            params: transport.into_iter().collect(),
            headers: Vec::new(),
        }
    }

    /// Where requests are sent.
    pub(super) fn destination(&self) -> SipAddr {
        let TrunkAddress { host, transport, .. } = &self.address;
        let mut host = host.clone();
        let default_port = if self.address.is_tls() { 5061 } else { 5060 };
        host.port = host.port.or_else(|| Some(default_port.into()));
        SipAddr::new(*transport, host)
    }

    pub(super) fn credential(&self) -> Option<Credential> {
        Some(Credential {
            username: self.address.user.clone()?,
            password: self.password.clone()?,
            ..Credential::default()
        })
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.is_reachable.load(Ordering::Relaxed)
    }

    /// Notes whether it has answered.
    pub(super) fn set_reachable(&self, is_reachable: bool) {
        if self.is_reachable.swap(is_reachable, Ordering::Relaxed) != is_reachable {
            match is_reachable {
                true => tracing::info!(trunk = %self.address, "the trunk answers"),
                false => tracing::warn!(trunk = %self.address, "the trunk does not answer"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TrunkAddress, InvalidTrunkAddress> {
        text.parse()
    }

    #[test]
    fn an_address_has_a_host_and_optionally_a_user_a_port_and_a_transport() {
        let full = parse("sip:alice@sip.example.com:5080;transport=tcp").unwrap();
        assert_eq!(full.user(), Some("alice"));
        assert_eq!(full.to_string(), "sip:sip.example.com:5080;transport=tcp");
        let least = Trunk::new(parse("sip:192.0.2.1").unwrap(), None, true);
        assert_eq!(least.address.user(), None);
        assert_eq!(least.destination().to_string(), "UDP 192.0.2.1:5060");
        for tls in ["sips:example.com", "sip:example.com;transport=TLS"] {
            let trunk = Trunk::new(parse(tls).unwrap(), None, true);
            assert_eq!(trunk.destination().to_string(), "TLS example.com:5061");
            assert!(
                trunk.uri(None).to_string().eq_ignore_ascii_case("sip:example.com;transport=tls")
            );
        }
    }

    #[test]
    fn a_password_is_refused_and_never_shown() {
        let error = parse("sip:alice:secret@example.com").unwrap_err();
        assert_eq!(error, InvalidTrunkAddress::Password);
        assert!(!error.to_string().contains("secret"));
        let trunk = parse("sip:alice@example.com").unwrap();
        assert!(!trunk.to_string().contains("alice"));
    }

    #[test]
    fn anything_else_is_refused() {
        let refused = [
            "",
            "sip:",
            "example.com",
            "http://example.com",
            "sip:@example.com",
            "sip:a@",
            "sip:example.com:99999",
            "sip:exa mple.com",
            "sip:example.com?a=b",
            "tel:+14155550100",
            "sip:example.com;lr",
            "sip:a@b@c/d",
        ];
        for text in refused {
            assert_eq!(parse(text), Err(InvalidTrunkAddress::Syntax), "{text}");
        }
        for text in ["sip:example.com;transport=ws", "sips:example.com;transport=udp"] {
            assert_eq!(parse(text), Err(InvalidTrunkAddress::Transport), "{text}");
        }
    }
}
