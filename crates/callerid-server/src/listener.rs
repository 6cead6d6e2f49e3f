//! The listening socket and its settings.

use callerid_core::AuthToken;
use tokio::net::TcpListener;

use crate::client::TrustedProxies;
use crate::tls::Tls;

/// A listening socket, and how to treat its connections.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// The TLS configuration; `None` for plain HTTP.
    pub tls: Option<Tls>,
    /// Proxies whose headers are trusted to name the client.
    pub trusted_proxies: TrustedProxies,
    /// The token for reading the metrics. If absent, the metrics can be read from this machine
    /// only.
    pub metrics_token: Option<AuthToken>,
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None, trusted_proxies: TrustedProxies::default(), metrics_token: None }
    }
}
