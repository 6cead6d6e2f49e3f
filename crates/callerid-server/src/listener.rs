//! Where the server listens, and whom it believes there.

use callerid_core::AuthToken;
use tokio::net::TcpListener;

use crate::client::TrustedProxies;
use crate::tls::Tls;

/// A socket that listens, and what is known of those who connect to it.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What it shows those who connect; `None`: they speak in clear.
    pub tls: Option<Tls>,
    /// Proxies that name the client.
    pub trusted_proxies: TrustedProxies,
    /// The token that the metrics are read with; where there is none, they are read from this machine.
    pub metrics_token: Option<AuthToken>,
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None, trusted_proxies: TrustedProxies::default(), metrics_token: None }
    }
}
