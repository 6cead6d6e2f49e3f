//! The SIP stack, which is rsipstack's: sockets, transactions and dialogs. Here are its settings,
//! and what becomes of requests that the other sides send.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::dialog::Dialog;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::sip::prelude::HeadersExt as _;
use rsipstack::sip::{
    HostWithPort, Method, Param, Request, SipMessage, StatusCode, Transport, Uri,
};
use rsipstack::transaction::endpoint::{EndpointInnerRef, EndpointOption};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transaction::{Endpoint, EndpointBuilder, TransactionReceiver, make_tag};
use rsipstack::transport::tls::TlsConfig;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::trunk::Trunk;

/// What stands behind the `@` of Call-IDs.
pub(super) const CALL_ID_DOMAIN: &str = "callerid";
/// How long a trunk may take to answer anything at all. The stack's own limit is 32 seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(4);
/// How long a request of a dialog waits for that dialog. It begins as soon as the stack has handled
/// the response that confirms it, and the stack handles one MESSAGE at a time and drops what comes
/// meanwhile.
const DIALOG_PATIENCE: [Duration; 4] = [Duration::from_millis(50); 4];
/// The user of our own addresses.
const USER: &str = "callerid";

pub(super) struct Stack {
    endpoint: Endpoint,
    pub(super) dialogs: Arc<DialogLayer>,
    /// Where the socket is bound.
    bound: SocketAddr,
    public: Option<IpAddr>,
    _stop: DropGuard,
}

impl Stack {
    /// Opens the socket, and answers requests from then on. `public` is our address as trunks see
    /// it, if they do not see the machine's own. `authorities` are certificates in PEM, for TLS.
    pub(super) async fn open(
        bind: SocketAddr,
        public: Option<IpAddr>,
        authorities: Option<Vec<u8>>,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind(bind).await?;
        let bound = socket.local_addr()?;
        let stop = CancellationToken::new();
        let external = public.map(|public| SocketAddr::new(public, bound.port()));
        let connection = UdpConnection::from_socket(Arc::new(socket), external, None).await;
        let transports = TransportLayer::new(stop.clone());
        transports.add_transport(SipConnection::Udp(connection.map_err(io::Error::other)?));
        transports.set_tls_config(TlsConfig { ca_certs: authorities, ..TlsConfig::default() });
        let option = EndpointOption {
            callid_suffix: Some(CALL_ID_DOMAIN.to_owned()),
            ..EndpointOption::default()
        };
        let endpoint = EndpointBuilder::new()
            .with_user_agent(concat!("callerid/", env!("CARGO_PKG_VERSION")))
            .with_transport_layer(transports)
            .with_cancel_token(stop.clone())
            .with_option(option)
            .build();
        let dialogs = Arc::new(DialogLayer::new(Arc::clone(&endpoint.inner)));
        let incoming = endpoint.incoming_transactions().map_err(io::Error::other)?;
        tokio::spawn(answer_requests(Arc::clone(&dialogs), incoming));
        let served = Arc::clone(&endpoint.inner);
        tokio::spawn(async move {
            if let Err(error) = served.serve().await {
                tracing::error!(%error, "the SIP stack has ended");
            }
        });
        Ok(Self { endpoint, dialogs, bound, public, _stop: stop.drop_guard() })
    }

    /// Finds a trunk, and connects to it if its transport needs that.
    pub(super) async fn connect(&self, trunk: &Trunk) -> Result<Path, String> {
        let destination = trunk.destination();
        let transports = &self.endpoint.inner.transport_layer;
        let (connection, destination) = timeout(SILENCE, transports.lookup(&destination, None))
            .await
            .map_err(|_| "no connection within 4 seconds".to_owned())?
            .map_err(|error| error.to_string())?;
        let peer = destination.get_socketaddr().map_err(|error| error.to_string())?;
        let address = self.address_towards(peer).await.map_err(|error| error.to_string())?;
        let transport = destination.r#type.unwrap_or_default();
        // A connection that we have opened is also the one for requests from the other side.
        let contact = match transport {
            Transport::Udp => SocketAddr::new(address, self.bound.port()).into(),
            _ => connection.get_addr().addr.clone(),
        };
        Ok(Path { destination, address, contact, transport, via: connection.get_addr().clone() })
    }

    /// Our own address as this peer sees it.
    async fn address_towards(&self, peer: SocketAddr) -> io::Result<IpAddr> {
        if let Some(address) = self.public {
            return Ok(address);
        }
        if !self.bound.ip().is_unspecified() {
            return Ok(self.bound.ip());
        }
        let any: IpAddr = match peer {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // This sends nothing: it only asks the system for the way.
        let probe = UdpSocket::bind((any, 0)).await?;
        probe.connect(peer).await?;
        Ok(probe.local_addr()?.ip())
    }

    pub(super) fn endpoint(&self) -> EndpointInnerRef {
        Arc::clone(&self.endpoint.inner)
    }

    /// Asks the trunk whether it is there, with OPTIONS.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) async fn ask(&self, trunk: &Trunk) -> Result<(), String> {
        let path = self.connect(trunk).await?;
        let request = self.options(trunk, &path)?;
        let key = TransactionKey::from_request(&request, TransactionRole::Client);
        let key = key.map_err(|error| error.to_string())?;
        let endpoint = Arc::clone(&self.endpoint.inner);
        let mut transaction = Transaction::new_client(key, request, endpoint, None);
        transaction.destination = Some(path.destination);
        transaction.send().await.map_err(|error| error.to_string())?;
        let answer = async {
            while let Some(message) = transaction.receive().await {
                if let SipMessage::Response(response) = message
                    && response.status_code.code() >= 200
                {
                    return Some(response.status_code);
                }
            }
            None
        };
        match timeout(SILENCE, answer).await {
            Ok(Some(StatusCode::ServiceUnavailable)) => Err("503 Service Unavailable".to_owned()),
            Ok(Some(_)) => Ok(()),
            _ => Err("no answer to OPTIONS".to_owned()),
        }
    }

    fn options(&self, trunk: &Trunk, path: &Path) -> Result<Request, String> {
        let from = rsipstack::sip::typed::From {
            display_name: None,
            uri: trunk.uri(trunk.address.user().or(Some(USER))),
            params: vec![Param::Tag(make_tag())],
        };
        let to = rsipstack::sip::typed::To {
            display_name: None,
            uri: trunk.uri(None),
            params: Vec::new(),
        };
        let endpoint = &self.endpoint.inner;
        let via = endpoint.get_via(Some(path.via.clone()), None);
        let via = via.map_err(|error| error.to_string())?;
        let uri = trunk.uri(None);
        let mut request = endpoint.make_request(Method::Options, uri, via, from, to, 1, None);
        let contact = rsipstack::sip::typed::Contact::from(path.contact());
        request.headers.unique_push(contact.into());
        Ok(request)
    }

    /// Waits until the requests that end calls have been answered.
    pub(super) async fn settle(&self) {
        let is_ending = |key: &TransactionKey| {
            let key = key.to_string();
            key.starts_with("c.BYE") || key.starts_with("c.CANCEL")
        };
        let transactions = || self.endpoint.inner.get_running_transactions().unwrap_or_default();
        while transactions().iter().any(is_ending) {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The way to a trunk.
pub(super) struct Path {
    pub(super) destination: SipAddr,
    /// Our address on it.
    pub(super) address: IpAddr,
    contact: HostWithPort,
    transport: Transport,
    via: SipAddr,
}

impl Path {
    /// Our own URI on it. It names its transport, so that the stack takes it as it is.
    pub(super) fn contact(&self) -> Uri {
        Uri {
            auth: Some(USER.to_owned().into()),
            params: vec![Param::Transport(self.transport)],
            ..Uri::from(self.contact.clone())
        }
    }
}

async fn answer_requests(dialogs: Arc<DialogLayer>, mut incoming: TransactionReceiver) {
    while let Some(transaction) = incoming.recv().await {
        let dialogs = Arc::clone(&dialogs);
        tokio::spawn(async move {
            if let Err(error) = answer_request(&dialogs, transaction).await {
                tracing::debug!(%error, "a SIP request could not be answered");
            }
        });
    }
}

async fn answer_request(
    dialogs: &DialogLayer,
    mut transaction: Transaction,
) -> rsipstack::Result<()> {
    let is_in_dialog = transaction.original.to_header()?.tag()?.is_some();
    if !is_in_dialog {
        // This line takes no calls.
        let status = match transaction.original.method {
            Method::Options => StatusCode::OK,
            Method::Invite => StatusCode::Decline,
            _ => StatusCode::MethodNotAllowed,
        };
        return transaction.reply(status).await;
    }
    for patience in DIALOG_PATIENCE {
        if let Some(Dialog::Invite(mut dialog)) = dialogs.match_dialog(&transaction)
            && dialog.state().is_confirmed()
        {
            return dialog.handle(&mut transaction).await;
        }
        sleep(patience).await;
    }
    transaction.reply(StatusCode::CallTransactionDoesNotExist).await
}
